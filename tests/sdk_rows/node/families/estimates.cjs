// The estimate of a project, and its points.
const assert = require("node:assert/strict");
const { row, unique } = require("../rows.cjs");

async function makeEstimate({ client, slug }) {
  const name = unique("Scales");
  const project = await client.projects.create(slug, { name, identifier: `SN${name.split(" n")[1]}` });
  const estimate = await client.estimates.create(slug, project.id, { name: "Story points", type: "points" });
  return { projectId: project.id, estimate };
}

async function makePoints(place, ...values) {
  const { projectId, estimate } = await makeEstimate(place);
  const sent = values.map((value, key) => ({ value, key }));
  const points = await place.client.estimates.createPoints(place.slug, projectId, estimate.id, sent);
  return { projectId, id: estimate.id, points };
}

async function createAndRetrieve(place) {
  const { client, slug } = place;
  const { projectId, estimate } = await makeEstimate(place);
  const read = await client.estimates.retrieve(slug, projectId);
  assert.deepEqual([read.id, read.name, read.type], [estimate.id, "Story points", "points"]);
  const linked = await client.estimates.linkToProject(slug, projectId, estimate.id);
  assert.equal(linked.estimate, estimate.id);
}

row("estimates.create", createAndRetrieve);
row("estimates.retrieve", createAndRetrieve);

row("estimates.update", async (place) => {
  const { projectId, estimate } = await makeEstimate(place);
  await place.client.estimates.update(place.slug, projectId, { name: "Sizes" });
  const read = await place.client.estimates.retrieve(place.slug, projectId);
  assert.deepEqual([read.id, read.name], [estimate.id, "Sizes"]);
});

row("estimates.delete", async (place) => {
  const { projectId } = await makeEstimate(place);
  await place.client.estimates.delete(place.slug, projectId);
  const gone = place.client.estimates.retrieve(place.slug, projectId);
  await assert.rejects(gone, (error) => error.statusCode === 404);
});

async function createAndListPoints(place) {
  const { projectId, id, points } = await makePoints(place, "1", "2", "3");
  const listed = await place.client.estimates.listPoints(place.slug, projectId, id);
  assert.deepEqual(listed.map((one) => one.id), points.map((one) => one.id));
  assert.deepEqual(listed.map(({ value, key }) => [value, key]), [["1", 0], ["2", 1], ["3", 2]]);
}

row("estimates.createPoints", createAndListPoints);
row("estimates.listPoints", createAndListPoints);

row("estimates.updatePoint", async (place) => {
  const { projectId, id, points } = await makePoints(place, "1", "2");
  await place.client.estimates.updatePoint(place.slug, projectId, id, points[0].id, { value: "5", key: 9 });
  const listed = await place.client.estimates.listPoints(place.slug, projectId, id);
  assert.deepEqual(listed.map((one) => [one.id, one.value]), [[points[1].id, "2"], [points[0].id, "5"]]);
});

row("estimates.deletePoint", async (place) => {
  const { projectId, id, points } = await makePoints(place, "1", "2");
  await place.client.estimates.deletePoint(place.slug, projectId, id, points[0].id);
  const listed = await place.client.estimates.listPoints(place.slug, projectId, id);
  assert.deepEqual(listed.map((one) => one.id), [points[1].id]);
});
