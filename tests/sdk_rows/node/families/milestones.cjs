// Milestones and their work items.
const assert = require("node:assert/strict");
const { create, records, row, unique } = require("../rows.cjs");

const MILESTONES = records("milestones", {
  at: ({ projectId }) => [projectId],
  make: () => ({ title: unique("Beta"), target_date: "2026-03-31" }),
  change: () => ({ title: unique("Final"), target_date: "2026-06-30" }),
});

async function holdWorkItems(place) {
  const { client, slug, projectId } = place;
  const { made } = await create(MILESTONES, place, [projectId]);
  const items = [(await place.item()).id, (await place.item()).id];
  const held = async () => {
    const listed = await client.milestones.listWorkItems(slug, projectId, made.id);
    return listed.results.map(({ issue }) => issue).sort();
  };
  await client.milestones.addWorkItems(slug, projectId, made.id, items);
  assert.deepEqual(await held(), [...items].sort());
  await client.milestones.removeWorkItems(slug, projectId, made.id, [items[0]]);
  assert.deepEqual(await held(), [items[1]]);
}

for (const method of ["addWorkItems", "listWorkItems", "removeWorkItems"]) {
  row(`milestones.${method}`, holdWorkItems);
}
