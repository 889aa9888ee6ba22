// A workspace, its people, roles and stickies, and the caller.
const assert = require("node:assert/strict");
const { records, row, unique } = require("../rows.cjs");

records("stickies", {
  make: () => ({ name: unique("Buy oil"), color: "#fdf5b2", description_html: "<p>5 l</p>" }),
  change: () => ({ name: unique("Oil bought"), color: "#abcdef" }),
});

row("users.me", async ({ bot, client, me, slug }) => {
  assert.equal((await client.users.me()).id, me);
  const { id } = await bot.users.me();
  assert.ok((await client.workspace.getMembers(slug)).find((one) => one.id === id).is_bot);
});

row("users.uploadAsset", async ({ baseUrl, client, me }) => {
  const asked = { name: "me.png", type: "image/png", size: 100, entity_type: "USER_AVATAR" };
  const [first, second] = [await client.users.uploadAsset(asked), await client.users.uploadAsset(asked)];
  assert.notEqual(first.asset_id, second.asset_id);
  assert.ok(first.upload_data.url.startsWith(baseUrl));
  assert.equal((await client.users.me()).id, me);
});

async function flip({ client, slug }) {
  const before = await client.workspace.retrieveFeatures(slug);
  for (const initiatives of [false, true]) {
    await client.workspace.updateFeatures(slug, { initiatives });
    assert.deepEqual(await client.workspace.retrieveFeatures(slug), { ...before, initiatives });
  }
}

row("workspace.retrieveFeatures", flip);
row("workspace.updateFeatures", flip);

row("workspace.getMembers", async ({ bot, client, me, slug }) => {
  const members = new Map((await client.workspace.getMembers(slug)).map((one) => [one.id, one]));
  assert.deepEqual([members.get(me).email, members.get(me).role], ["ana@example.com", 20]);
  assert.ok(members.has((await bot.users.me()).id));
});

row("workspace.getMembersLite", async ({ client, slug }) => {
  const listed = await client.workspace.getMembersLite(slug);
  const members = await client.workspace.getMembers(slug);
  assert.equal(listed.total_count, members.length);
  assert.deepEqual(listed.results.map(({ id }) => id).sort(), members.map(({ id }) => id).sort());
});

row("workspace.getProjectRoleDistribution", async ({ client, slug }) => {
  const ids = new Set();
  for (const { id } of (await client.projects.list(slug)).results) {
    for (const member of await client.projects.getMembers(slug, id)) ids.add(member.id);
  }
  assert.equal((await client.workspace.getProjectRoleDistribution(slug)).total_distinct_members, ids.size);
});

for (const method of ["list", "retrieve"]) {
  row(`roles.${method}`, async ({ client, slug }) => {
    const { results } = await client.roles.list(slug);
    const slugs = results.map((role) => role.slug);
    for (const expected of ["admin", "member", "guest"]) assert.ok(slugs.includes(expected));
    assert.deepEqual(await client.roles.retrieve(slug, results[0].id), results[0]);
  });
}
