// Relations between work items: by name, as dependencies, and by a workspace's own definitions.
const assert = require("node:assert/strict");
const { create, records, row, unique } = require("../rows.cjs");

const DEFINITIONS = records("workItemRelationDefinitions", {
  make: () => ({ name: unique("Holding"), outward: unique("holds"), inward: unique("held by") }),
  change: () => ({ name: unique("Carrying"), outward: unique("carries") }),
  names: { delete: "del" },
  verbs: ["create", "list", "update", "delete"],
});

const pair = async ({ item }) => [(await item()).id, (await item()).id];
const ids = (items) => items.map(({ id }) => id);

async function related({ client, item, projectId, slug }) {
  const [bolt, nut] = await pair({ item });
  const { relations } = client.workItems;
  await relations.create(slug, projectId, bolt, { relation_type: "blocking", issues: [nut] });
  return { bolt, nut, relations, list: (id) => relations.list(slug, projectId, id) };
}

for (const method of ["create", "list"]) {
  row(`workItems.relations.${method}`, async (place) => {
    const { bolt, nut, list } = await related(place);
    assert.deepEqual((await list(bolt)).blocking, [nut]);
    assert.deepEqual((await list(nut)).blocked_by, [bolt]);
  });
}

row("workItems.relations.delete", async (place) => {
  const { bolt, nut, relations, list } = await related(place);
  await relations.delete(place.slug, place.projectId, bolt, { related_issue: nut });
  assert.deepEqual((await list(nut)).blocked_by, []);
});

async function dependent({ client, item, projectId, slug }) {
  const [bolt, nut] = await pair({ item });
  const { dependencies } = client.workItems;
  const data = { relation_type: "start_before", work_item_ids: [nut] };
  const [made] = await dependencies.create(slug, projectId, bolt, data);
  assert.deepEqual([made.id, made.relation_type], [nut, "start_before"]);
  return { bolt, nut, dependencies, list: (id) => dependencies.list(slug, projectId, id) };
}

for (const method of ["create", "list"]) {
  row(`workItems.dependencies.${method}`, async (place) => {
    const { bolt, nut, list } = await dependent(place);
    assert.deepEqual(ids((await list(bolt)).start_before), [nut]);
    assert.deepEqual(ids((await list(nut)).start_after), [bolt]);
  });
}

row("workItems.dependencies.remove", async (place) => {
  const { bolt, nut, dependencies, list } = await dependent(place);
  await dependencies.remove(place.slug, place.projectId, nut, bolt);
  assert.deepEqual((await list(bolt)).start_before, []);
});

async function custom(place) {
  const [bolt, nut] = await pair(place);
  const { made: definition } = await create(DEFINITIONS, place, []);
  const { customRelations } = place.client.workItems;
  await customRelations.create(place.slug, place.projectId, bolt, {
    relation_definition_id: definition.id,
    relation_definition_type: definition.outward,
    work_item_ids: [nut],
  });
  const list = (id) => customRelations.list(place.slug, place.projectId, id);
  return { bolt, nut, definition, customRelations, list };
}

for (const method of ["create", "list"]) {
  row(`workItems.customRelations.${method}`, async (place) => {
    const { bolt, nut, definition, list } = await custom(place);
    assert.deepEqual(ids((await list(bolt))[definition.outward]), [nut]);
    assert.deepEqual(ids((await list(nut))[definition.inward]), [bolt]);
  });
}

row("workItems.customRelations.remove", async (place) => {
  const { bolt, nut, definition, customRelations, list } = await custom(place);
  await customRelations.remove(place.slug, place.projectId, bolt, nut);
  assert.deepEqual((await list(nut))[definition.inward], []);
});
