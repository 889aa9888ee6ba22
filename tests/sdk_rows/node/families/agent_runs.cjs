// Runs of agents, and what is said in them.
const assert = require("node:assert/strict");
const { row } = require("../rows.cjs");

async function make({ client, slug, projectId, item }) {
  return client.agentRuns.create(slug, { agent_slug: "courier", issue: (await item()).id, project: projectId });
}

function report({ bot, slug }, runId) {
  const content = { type: "action", action: "Oil", parameters: { wheel: "rear" } };
  return bot.agentRuns.activities.create(slug, runId, { type: "action", content });
}

for (const method of ["create", "retrieve"]) {
  row(`agentRuns.${method}`, async (place) => {
    const made = await make(place);
    const read = () => place.client.agentRuns.retrieve(place.slug, made.id);
    const { issue, project, status } = await read();
    assert.deepEqual([issue, project, status], [made.issue, place.projectId, "created"]);
    await report(place, made.id);
    assert.equal((await read()).status, "in_progress");
  });
}

for (const method of ["create", "list", "retrieve"]) {
  row(`agentRuns.activities.${method}`, async (place) => {
    const run = await make(place);
    const made = await report(place, run.id);
    const { activities } = place.bot.agentRuns;
    const read = await activities.retrieve(place.slug, run.id, made.id);
    assert.deepEqual(read.content, { type: "action", action: "Oil", parameters: { wheel: "rear" } });
    const { results } = await activities.list(place.slug, run.id);
    assert.ok(results.some(({ id }) => id === made.id));
  });
}
