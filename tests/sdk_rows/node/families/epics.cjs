// Epics and the work items below them.
const assert = require("node:assert/strict");
const { create, records, row, unique } = require("../rows.cjs");

const EPICS = records("epics", {
  at: ({ projectId }) => [projectId],
  make: () => ({ name: unique("Launch"), priority: "high", target_date: "2026-03-31" }),
  change: () => ({ name: unique("Landing"), priority: "low" }),
});

async function addIssues(place) {
  const { client, slug, projectId } = place;
  const { made } = await create(EPICS, place, [projectId]);
  const ids = [(await place.item()).id, (await place.item()).id];
  const added = await client.epics.addIssues(slug, projectId, made.id, { work_item_ids: ids });
  assert.deepEqual(added.map(({ id, parent }) => [id, parent]), ids.map((id) => [id, made.id]));
  const listed = await client.epics.listIssues(slug, projectId, made.id);
  assert.deepEqual(listed.results.map(({ id }) => id).sort(), [...ids].sort());
}

row("epics.addIssues", addIssues);
row("epics.listIssues", addIssues);
