// Cycles and modules, and the work items in them.
const assert = require("node:assert/strict");
const { create, read, records, row, unique } = require("../rows.cjs");

const at = ({ projectId }) => [projectId];
const ids = ({ results }) => results.map(({ id }) => id);
let year = 1900; // of cycles that are over

const CYCLES = records("cycles", {
  at,
  make: (place) => ({
    name: unique("Sprint"),
    description: "Oil the wheels",
    owned_by: place.me,
    project_id: place.projectId,
  }),
  change: () => ({ name: unique("Second sprint"), description: "Oil them again" }),
  unread: ["project_id"],
});
const MODULES = records("modules", {
  at,
  make: (place) => ({
    name: unique("Wheels"),
    description: "What turns",
    start_date: "2026-11-02",
    target_date: "2026-12-24",
    lead: place.me,
    members: [place.me],
  }),
  change: () => ({ name: unique("Doors"), status: "paused" }),
});

const make = async (kind, place) => (await create(kind, place, at(place))).made;
const show = (kind, place, { id }) => read(kind, place, at(place), id);

async function completedCycle(place) {
  year += 1;
  return place.client.cycles.create(place.slug, place.projectId, {
    ...CYCLES.make(place),
    start_date: `${year}-05-01`,
    end_date: `${year}-05-14`,
  });
}

async function archivedCycle(place) {
  const made = await completedCycle(place);
  await place.client.cycles.archive(place.slug, place.projectId, made.id);
  return made;
}

async function archivedModule(place) {
  const made = await make(MODULES, place);
  await place.client.modules.update(place.slug, place.projectId, made.id, { status: "completed" });
  await place.client.modules.archiveModule(place.slug, place.projectId, made.id);
  return made;
}

row("cycles.listLite", async (place) => {
  const [made, over] = [await make(CYCLES, place), await completedCycle(place)];
  const asked = { status: "completed", per_page: 1000 };
  const listed = ids(await place.client.cycles.listLite(place.slug, place.projectId, asked));
  assert.ok(listed.includes(over.id) && !listed.includes(made.id));
});

row("cycles.archive", async (place) => {
  assert.ok((await show(CYCLES, place, await archivedCycle(place))).archived_at);
});

row("cycles.listArchived", async (place) => {
  const [made, archived] = [await make(CYCLES, place), await archivedCycle(place)];
  const listed = ids(await place.client.cycles.listArchived(place.slug, place.projectId));
  assert.ok(listed.includes(archived.id) && !listed.includes(made.id));
});

row("cycles.unArchive", async (place) => {
  const archived = await archivedCycle(place);
  await place.client.cycles.unArchive(place.slug, place.projectId, archived.id);
  assert.equal((await show(CYCLES, place, archived)).archived_at, null);
});

const inCycle = async (place, { id }) =>
  ids(await place.client.cycles.listWorkItemsInCycle(place.slug, place.projectId, id));

row("cycles.addWorkItemsToCycle", async (place) => {
  const [cycle, item] = [await make(CYCLES, place), await place.item({ state: await place.state("started") })];
  await place.client.cycles.addWorkItemsToCycle(place.slug, place.projectId, cycle.id, [item.id]);
  const { total_issues, started_issues } = await show(CYCLES, place, cycle);
  assert.deepEqual([total_issues, started_issues], [1, 1]);
});

row("cycles.listWorkItemsInCycle", async (place) => {
  const [cycle, item] = [await make(CYCLES, place), await place.item()];
  await place.client.cycles.addWorkItemsToCycle(place.slug, place.projectId, cycle.id, [item.id]);
  assert.deepEqual(await inCycle(place, cycle), [item.id]);
});

row("cycles.removeWorkItemFromCycle", async (place) => {
  const [cycle, item] = [await make(CYCLES, place), await place.item()];
  await place.client.cycles.addWorkItemsToCycle(place.slug, place.projectId, cycle.id, [item.id]);
  await place.client.cycles.removeWorkItemFromCycle(place.slug, place.projectId, cycle.id, item.id);
  assert.deepEqual(await inCycle(place, cycle), []);
});

row("cycles.transferWorkItemsToAnotherCycle", async (place) => {
  const [old, next, item] = [await make(CYCLES, place), await make(CYCLES, place), await place.item()];
  await place.client.cycles.addWorkItemsToCycle(place.slug, place.projectId, old.id, [item.id]);
  const target = { new_cycle_id: next.id };
  await place.client.cycles.transferWorkItemsToAnotherCycle(place.slug, place.projectId, old.id, target);
  assert.deepEqual([await inCycle(place, old), await inCycle(place, next)], [[], [item.id]]);
});

row("modules.listLite", async (place) => {
  const [made, archived] = [await make(MODULES, place), await archivedModule(place)];
  const listed = ids(await place.client.modules.listLite(place.slug, place.projectId, { per_page: 1000 }));
  assert.ok(listed.includes(made.id) && !listed.includes(archived.id));
});

row("modules.archiveModule", async (place) => {
  assert.ok((await show(MODULES, place, await archivedModule(place))).archived_at);
});

row("modules.listArchivedModules", async (place) => {
  const [made, archived] = [await make(MODULES, place), await archivedModule(place)];
  const listed = ids(await place.client.modules.listArchivedModules(place.slug, place.projectId));
  assert.ok(listed.includes(archived.id) && !listed.includes(made.id));
});

row("modules.unArchiveModule", async (place) => {
  const archived = await archivedModule(place);
  await place.client.modules.unArchiveModule(place.slug, place.projectId, archived.id);
  assert.equal((await show(MODULES, place, archived)).archived_at, null);
});

const inModule = async (place, { id }) =>
  ids(await place.client.modules.listWorkItemsInModule(place.slug, place.projectId, id));

row("modules.addWorkItemsToModule", async (place) => {
  const [module, item] = [await make(MODULES, place), await place.item({ state: await place.state("completed") })];
  await place.client.modules.addWorkItemsToModule(place.slug, place.projectId, module.id, [item.id]);
  const { total_issues, completed_issues } = await show(MODULES, place, module);
  assert.deepEqual([total_issues, completed_issues], [1, 1]);
});

row("modules.listWorkItemsInModule", async (place) => {
  const [module, item] = [await make(MODULES, place), await place.item()];
  await place.client.modules.addWorkItemsToModule(place.slug, place.projectId, module.id, [item.id]);
  assert.deepEqual(await inModule(place, module), [item.id]);
});

row("modules.removeWorkItemFromModule", async (place) => {
  const [module, item] = [await make(MODULES, place), await place.item()];
  await place.client.modules.addWorkItemsToModule(place.slug, place.projectId, module.id, [item.id]);
  await place.client.modules.removeWorkItemFromModule(place.slug, place.projectId, module.id, item.id);
  assert.deepEqual(await inModule(place, module), []);
});
