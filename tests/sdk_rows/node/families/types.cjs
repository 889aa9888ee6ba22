// Types of work items, their properties and the options of these, of a project and of the workspace.
const assert = require("node:assert/strict");
const { create, records, row, unique } = require("../rows.cjs");

const at = ({ projectId }) => [projectId];
const type = {
  make: () => ({ name: unique("Bug"), description: "What is broken" }),
  change: () => ({ name: unique("Defect"), description: "What was broken" }),
};
const property = {
  make: () => ({ display_name: unique("Weight"), property_type: "DECIMAL", default_value: ["3"], is_required: false }),
  change: () => ({ display_name: unique("Mass"), is_required: true }),
};
const option = {
  make: () => ({ name: unique("High"), description: "Before all else" }),
  change: () => ({ name: unique("Higher") }),
};
const choice = () => ({ display_name: unique("Severity"), property_type: "OPTION", is_required: false });

const TYPES = records("workItemTypes", { ...type, at });
const WORKSPACE_TYPES = records("workspaceWorkItemTypes", type);
const newType = async (place) => (await create(TYPES, place, [place.projectId])).made.id;
records("workItemProperties", { ...property, at: async (place) => [place.projectId, await newType(place)] });
const PROPERTIES = records("workItemProperties", {
  ...property,
  at,
  names: {
    create: "createProject",
    retrieve: "retrieveProject",
    list: "listProject",
    update: "updateProject",
    delete: "deleteProject",
  },
});
const WORKSPACE_PROPERTIES = records("workspaceWorkItemProperties", { ...property, names: { delete: "del" } });
records("workItemProperties.options", {
  ...option,
  async at({ client, projectId, slug }) {
    return [projectId, (await client.workItemProperties.createProject(slug, projectId, choice())).id];
  },
});
records("workspaceWorkItemProperties.options", {
  ...option,
  at: async ({ client, slug }) => [(await client.workspaceWorkItemProperties.create(slug, choice())).id],
});

row("workItemTypes.importToProject", async (place) => {
  const { client, projectId, slug } = place;
  const { made } = await create(WORKSPACE_TYPES, place, []);
  await client.workItemTypes.importToProject(slug, projectId, [made.id]);
  const listed = await client.workItemTypes.list(slug, projectId);
  assert.ok(listed.some(({ id }) => id === made.id));
});

async function attached(place) {
  const { client, projectId, slug } = place;
  const typeId = await newType(place);
  const { made } = await create(PROPERTIES, place, [projectId]);
  await client.workItemProperties.attachToType(slug, projectId, typeId, [made.id]);
  const list = async () => (await client.workItemProperties.list(slug, projectId, typeId)).map(({ id }) => id);
  return { typeId, id: made.id, list };
}

row("workItemProperties.attachToType", async (place) => {
  const { id, list } = await attached(place);
  assert.deepEqual(await list(), [id]);
});

row("workItemProperties.detachFromType", async (place) => {
  const { typeId, id, list } = await attached(place);
  await place.client.workItemProperties.detachFromType(place.slug, place.projectId, typeId, id);
  assert.deepEqual(await list(), []);
});

async function attachedInWorkspace(place) {
  const { client, slug } = place;
  const typeId = (await create(WORKSPACE_TYPES, place, [])).made.id;
  const { id } = (await create(WORKSPACE_PROPERTIES, place, [])).made;
  const { properties } = client.workspaceWorkItemTypes;
  await properties.create(slug, typeId, { properties: [id] });
  return { typeId, id, properties, list: () => properties.list(slug, typeId) };
}

for (const method of ["create", "list"]) {
  row(`workspaceWorkItemTypes.properties.${method}`, async (place) => {
    const { id, list } = await attachedInWorkspace(place);
    assert.deepEqual(await list(), [id]);
  });
}

row("workspaceWorkItemTypes.properties.del", async (place) => {
  const { typeId, id, properties, list } = await attachedInWorkspace(place);
  await properties.del(place.slug, typeId, id);
  assert.deepEqual(await list(), []);
});
