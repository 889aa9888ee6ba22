// Work items, and what is below one: comments, links, worklogs, activities.
const assert = require("node:assert/strict");
const { records, row, unique } = require("../rows.cjs");

const below = async (place) => [place.projectId, (await place.item()).id];
const ids = ({ results }) => results.map(({ id }) => id);

records("workItems", {
  at: ({ projectId }) => [projectId],
  make: async (place) => ({
    name: unique("Wheel squeaks"),
    description_html: "<p>Since Monday</p>",
    priority: "high",
    state: await place.state("started"),
    assignees: [place.me],
    start_date: "2026-11-02",
    target_date: "2026-11-30",
  }),
  change: async (place) => ({ name: unique("Wheel turns"), priority: "low", state: await place.state("completed") }),
});
records("workItems.comments", {
  at: below,
  make: () => ({ comment_html: `<p>${unique("Oil it")}</p>`, access: "INTERNAL" }),
  change: () => ({ comment_html: `<p>${unique("Oiled")}</p>` }),
});
records("workItems.links", {
  at: below,
  make: () => ({ url: `https://oil.example/${unique("can").replace(" ", "-")}`, title: "Oil" }),
  change: () => ({ title: "Better oil" }),
});
records("workItems.workLogs", {
  at: below,
  make: () => ({ description: "Oiling", duration: 25 }),
  change: () => ({ description: "Oiling twice", duration: 50 }),
  verbs: ["create", "list", "update", "delete"],
});

row("workItems.retrieveByIdentifier", async (place) => {
  const made = await place.item();
  const project = await place.client.projects.retrieve(place.slug, place.projectId);
  const name = `${project.identifier}-${made.sequence_id}`;
  assert.equal((await place.client.workItems.retrieveByIdentifier(place.slug, name)).id, made.id);
});

async function archived(place) {
  const made = await place.item({ state: await place.state("completed") });
  await place.client.workItems.archive(place.slug, place.projectId, made.id);
  return made;
}

row("workItems.archive", async (place) => {
  const { id } = await archived(place);
  assert.ok((await place.client.workItems.retrieve(place.slug, place.projectId, id)).archived_at);
  assert.ok(!ids(await place.client.workItems.list(place.slug, place.projectId)).includes(id));
});

row("workItems.unarchive", async (place) => {
  const { id } = await archived(place);
  await place.client.workItems.unarchive(place.slug, place.projectId, id);
  assert.equal((await place.client.workItems.retrieve(place.slug, place.projectId, id)).archived_at, null);
});

row("workItems.listArchived", async (place) => {
  const { id } = await archived(place);
  const left = await place.item();
  const listed = ids(await place.client.workItems.listArchived(place.slug, place.projectId));
  assert.ok(listed.includes(id) && !listed.includes(left.id));
});

row("workItems.listWorkspace", async (place) => {
  const [urgent, low] = [await place.item({ priority: "urgent" }), await place.item({ priority: "low" })];
  const listed = ids(await place.client.workItems.listWorkspace(place.slug, { pql: 'priority = "urgent"' }));
  assert.ok(listed.includes(urgent.id) && !listed.includes(low.id));
});

row("workItems.countWorkspace", async (place) => {
  const count = () => place.client.workItems.countWorkspace(place.slug, { group_by: "priority" });
  const before = await count();
  await place.item({ priority: "urgent" });
  const after = await count();
  assert.equal(after.total_count, before.total_count + 1);
  assert.equal(after.grouped_counts.urgent.count, (before.grouped_counts.urgent?.count ?? 0) + 1);
});

row("workItems.search", async (place) => {
  const [made, other] = [await place.item(), await place.item({ name: "Axle" })];
  const found = (await place.client.workItems.search(place.slug, made.name)).issues.map(({ id }) => id);
  assert.ok(found.includes(made.id) && !found.includes(other.id));
});

row("workItems.advancedSearch", async (place) => {
  const [made, other] = [await place.item({ priority: "urgent" }), await place.item({ priority: "low" })];
  const asked = { query: made.name, filters: { and: [{ priority: "urgent" }] } };
  const found = (await place.client.workItems.advancedSearch(place.slug, asked)).map(({ id }) => id);
  assert.ok(found.includes(made.id) && !found.includes(other.id));
});

async function changed({ client, slug, projectId, item }) {
  const made = await item({ priority: "high" });
  await client.workItems.update(slug, projectId, made.id, { priority: "low" });
  const { results } = await client.workItems.activities.list(slug, projectId, made.id);
  return { itemId: made.id, activity: results.find(({ field }) => field === "priority") };
}

row("workItems.activities.list", async (place) => {
  const { activity } = await changed(place);
  assert.deepEqual([activity.old_value, activity.new_value, activity.actor], ["high", "low", place.me]);
});

row("workItems.activities.retrieve", async (place) => {
  const { itemId, activity } = await changed(place);
  const { activities } = place.client.workItems;
  assert.deepEqual(await activities.retrieve(place.slug, place.projectId, itemId, activity.id), activity);
});
