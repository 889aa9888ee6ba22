// Projects, their members and features.
const assert = require("node:assert/strict");
const { create, records, row, unique } = require("../rows.cjs");

const PROJECTS = records("projects", {
  make() {
    const name = unique("Garage");
    return { name, identifier: `N${name.split(" n")[1]}`, description: "Where wheels are mended" };
  },
  change: () => ({ name: unique("Workshop"), description: "Where engines are built" }),
});

const make = async (place) => (await create(PROJECTS, place, [])).made;

row("projects.listLite", async (place) => {
  const made = await make(place);
  const found = (await place.client.projects.listLite(place.slug)).results.find(({ id }) => id === made.id);
  assert.deepEqual([found.name, found.identifier], [made.name, made.identifier]);
});

row("projects.archive", async (place) => {
  const { id } = await make(place);
  await place.client.projects.archive(place.slug, id);
  assert.ok((await place.client.projects.retrieve(place.slug, id)).archived_at);
});

row("projects.unArchive", async (place) => {
  const { id } = await make(place);
  await place.client.projects.archive(place.slug, id);
  await place.client.projects.unArchive(place.slug, id);
  assert.equal((await place.client.projects.retrieve(place.slug, id)).archived_at, null);
});

async function flip({ client, slug }, id) {
  for (const on of [true, false]) {
    const changed = await client.projects.updateFeatures(slug, id, { cycles: on });
    assert.equal(changed.cycles, on);
    assert.equal((await client.projects.retrieveFeatures(slug, id)).cycles, on);
    assert.equal((await client.projects.retrieve(slug, id)).cycle_view, on);
  }
}

for (const method of ["retrieveFeatures", "updateFeatures"]) {
  row(`projects.${method}`, async (place) => flip(place, (await make(place)).id));
}

row("projects.getMembers", async (place) => {
  const { id } = await make(place);
  const members = await place.client.projects.getMembers(place.slug, id);
  assert.deepEqual(members.map((one) => [one.id, one.role]), [[place.me, 20]]);
});

row("projects.getMembersLite", async (place) => {
  const { id } = await make(place);
  const listed = await place.client.projects.getMembersLite(place.slug, id);
  const members = await place.client.projects.getMembers(place.slug, id);
  assert.equal(listed.total_count, members.length);
  assert.equal(listed.results[0].display_name, members[0].display_name);
});

row("projects.getTotalWorkLogs", async (place) => {
  const { client, slug, projectId } = place;
  const item = await place.item();
  for (const duration of [30, 15]) {
    await client.workItems.workLogs.create(slug, projectId, item.id, { description: "Filing", duration });
  }
  const spent = await client.projects.getTotalWorkLogs(slug, projectId);
  assert.equal(spent.find(({ issue_id }) => issue_id === item.id).duration, 45);
});
