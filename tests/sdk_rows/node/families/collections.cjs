// Pages of the workspace, collections with their members and pages, and pages that are linked to a work item.
const assert = require("node:assert/strict");
const { records, row, unique } = require("../rows.cjs");

const page = () => ({ name: unique("Wiki"), description_html: "<p>Read me</p>" });
const makePage = ({ client, slug }) => client.pages.createWorkspacePage(slug, page());
const makeCollection = async ({ client, slug }, access = 0) =>
  (await client.collections.create(slug, { name: unique("Shelf"), access })).id;

records("pages", {
  make: page,
  names: { create: "createWorkspacePage", retrieve: "getWorkspacePage", list: "listWorkspacePages" },
  unlisted: ["description_html"],
  verbs: ["create", "retrieve", "list"],
});
records("collections", {
  make: () => ({ name: unique("Shelf"), logo_props: { emoji: "📚" } }),
  change: () => ({ name: unique("Board"), sort_order: 25000 }),
});
records("workItems.pages", {
  at: async (place) => [place.projectId, (await place.item()).id],
  make: async (place) => ({ page_id: (await makePage(place)).id }),
  unread: ["page_id"],
  verbs: ["create", "retrieve", "list", "delete"],
});

async function listed({ client, slug }, collection) {
  const { results } = await client.collections.pages.list(slug, collection);
  return results.map((one) => one.page.id);
}

async function put(place, collection) {
  const { id } = await makePage(place);
  const [added] = await place.client.collections.pages.add(place.slug, collection, { page_ids: [id] });
  assert.equal(added.page, id);
  return added;
}

row("collections.pages.add", async (place) => {
  const collection = await makeCollection(place);
  const added = await put(place, collection);
  assert.deepEqual(await listed(place, collection), [added.page]);
});
row("collections.pages.list", async (place) => {
  const collection = await makeCollection(place);
  const [first, second] = [await put(place, collection), await put(place, collection)];
  assert.deepEqual(await listed(place, collection), [first.page, second.page]);
});
row("collections.pages.search", async (place) => {
  const [collection, made] = [await makeCollection(place), await makePage(place)];
  const found = await place.client.collections.pages.search(place.slug, collection, made.name);
  assert.deepEqual(found.map(({ id }) => id), [made.id]);
});
row("collections.pages.update", async (place) => {
  const [source, target] = [await makeCollection(place), await makeCollection(place)];
  const added = await put(place, source);
  const moved = await place.client.collections.pages.update(place.slug, source, added.id, { collection: target });
  assert.equal(moved.collection, target);
  assert.deepEqual(await listed(place, target), [added.page]);
});
row("collections.pages.remove", async (place) => {
  const collection = await makeCollection(place);
  const added = await put(place, collection);
  await place.client.collections.pages.remove(place.slug, collection, added.id);
  assert.deepEqual(await listed(place, collection), []);
});

async function addBot(place, collection) {
  const { id } = await place.bot.users.me();
  return place.client.collections.members.add(place.slug, collection, { member: id, access: 0 });
}

async function accesses({ client, slug }, collection) {
  const members = await client.collections.members.list(slug, collection);
  return new Map(members.map(({ id, access }) => [id, access]));
}

row("collections.members.add", async (place) => {
  const collection = await makeCollection(place, 1);
  const added = await addBot(place, collection);
  assert.equal((await accesses(place, collection)).get(added.id), 0);
});
row("collections.members.list", async (place) => {
  const [owner] = await place.client.collections.members.list(place.slug, await makeCollection(place, 1));
  assert.deepEqual([owner.member, owner.access], [place.me, 2]);
});
row("collections.members.update", async (place) => {
  const collection = await makeCollection(place, 1);
  const added = await addBot(place, collection);
  await place.client.collections.members.update(place.slug, collection, added.id, { access: 2 });
  assert.equal((await accesses(place, collection)).get(added.id), 2);
});
row("collections.members.remove", async (place) => {
  const collection = await makeCollection(place, 1);
  const added = await addBot(place, collection);
  await place.client.collections.members.remove(place.slug, collection, added.id);
  assert.equal((await accesses(place, collection)).has(added.id), false);
});
