// The values that work items have of their type's properties.
const assert = require("node:assert/strict");
const { row, unique } = require("../rows.cjs");

async function valued({ client, item, projectId, slug }, value) {
  const type = await client.workItemTypes.create(slug, projectId, { name: unique("Bug") });
  const data = { display_name: unique("Weight"), property_type: "DECIMAL", is_required: false };
  const property = await client.workItemProperties.create(slug, projectId, type.id, data);
  const made = await item({ type_id: type.id });
  const { values } = client.workItemProperties;
  const ids = [slug, projectId, made.id, property.id];
  await values.create(...ids, { value });
  const list = () => values.list(slug, projectId, made.id);
  return { ids, values, list, read: async () => Number((await values.retrieve(...ids)).value) };
}

for (const method of ["create", "retrieve"]) {
  row(`workItemProperties.values.${method}`, async (place) => {
    const { read } = await valued(place, "7.5");
    assert.equal(await read(), 7.5);
  });
}

row("workItemProperties.values.list", async (place) => {
  const { ids, list } = await valued(place, "7.5");
  assert.ok(JSON.stringify(await list()).includes(ids[3]));
});

row("workItemProperties.values.update", async (place) => {
  const { ids, values, read } = await valued(place, "7.5");
  await values.update(...ids, { value: "9" });
  assert.equal(await read(), 9);
});

row("workItemProperties.values.delete", async (place) => {
  const { values, ids, read } = await valued(place, "7.5");
  await values.delete(...ids);
  await assert.rejects(read(), (error) => error.statusCode === 404);
});
