// The intake of a project: what waits there, and what is decided on it.
const assert = require("node:assert/strict");
const { row, unique } = require("../rows.cjs");

async function file({ client, projectId, slug }) {
  const issue = { name: unique("The wheel squeaks"), priority: "high" };
  const filed = await client.intake.create(slug, projectId, { issue });
  return { filed, at: [slug, projectId, filed.issue], read: () => client.intake.retrieve(slug, projectId, filed.issue) };
}

for (const method of ["create", "retrieve", "list"]) {
  row(`intake.${method}`, async (place) => {
    const { filed, read } = await file(place);
    const found = await read();
    assert.deepEqual([found.id, found.issue_detail.name], [filed.id, filed.issue_detail.name]);
    const { results } = await place.client.intake.list(place.slug, place.projectId);
    assert.ok(results.some(({ id }) => id === filed.id));
  });
}

row("intake.update", async (place) => {
  const { at, read } = await file(place);
  await place.client.intake.update(...at, { issue: { name: "The front wheel squeaks" } });
  assert.equal((await read()).issue_detail.name, "The front wheel squeaks");
});

row("intake.updateStatus", async (place) => {
  const { filed, at } = await file(place);
  await place.client.intake.updateStatus(...at, { status: 1 });
  assert.equal((await place.client.workItems.retrieve(...at)).name, filed.issue_detail.name);
});

row("intake.delete", async (place) => {
  const { at, read } = await file(place);
  await place.client.intake.delete(...at);
  await assert.rejects(read(), (error) => error.statusCode === 404);
});
