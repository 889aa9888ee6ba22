// The values that work items have of their properties.
const assert = require("node:assert/strict");
const { row, unique } = require("../rows.cjs");

async function makeValue({ client, projectId, slug }) {
  const item = await client.workItems.create(slug, projectId, { name: unique("Wheel") });
  const owner = { display_name: unique("Weight"), property_type: "DECIMAL", is_required: false };
  const { id } = await client.workItemProperties.createProject(slug, projectId, owner);
  const ids = [slug, projectId, item.id, id];
  assert.equal((await client.workItemProperties.values.create(...ids, { value: 2.5 })).value, 2.5);
  return ids;
}

async function retrieveValue(place) {
  const ids = await makeValue(place);
  const read = await place.client.workItemProperties.values.retrieve(...ids);
  assert.deepEqual([read.value, read.value_type, read.issue_id, read.property_id], [2.5, "DECIMAL", ids[2], ids[3]]);
}

row("workItemProperties.values.create", retrieveValue);
row("workItemProperties.values.retrieve", retrieveValue);
row("workItemProperties.values.list", async (place) => {
  const ids = await makeValue(place);
  const listed = await place.client.workItemProperties.values.list(...ids.slice(0, 3));
  assert.deepEqual(listed, [{ property_id: ids[3], values: [2.5] }]);
});
row("workItemProperties.values.update", async (place) => {
  const ids = await makeValue(place);
  await place.client.workItemProperties.values.update(...ids, { value: 4 });
  assert.equal((await place.client.workItemProperties.values.retrieve(...ids)).value, 4);
});
row("workItemProperties.values.delete", async (place) => {
  const ids = await makeValue(place);
  await place.client.workItemProperties.values.delete(...ids);
  const gone = place.client.workItemProperties.values.retrieve(...ids);
  await assert.rejects(gone, (error) => error.statusCode === 404);
});
