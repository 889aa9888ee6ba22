// The official Node.js SDK as a process: reads what to do as JSON on stdin, prints what it found as JSON.
const assert = require("node:assert/strict");
const { OAuthClient, PlaneClient } = require("@makeplane/plane-node-sdk");

const COMMANDS = { authorizationUrl, exchange, useEverything };

async function main() {
  const { command, ...given } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  console.log(JSON.stringify(await COMMANDS[command](given)));
}

function oauthOf({ app }) {
  return new OAuthClient(app);
}

async function authorizationUrl({ state, ...given }) {
  return oauthOf(given).getAuthorizationUrl("code", state);
}

async function exchange({ code, installationId, ...given }) {
  const oauth = oauthOf(given);
  const first = await oauth.exchangeCodeForToken(code);
  const user = await oauth.getRefreshToken(first.refresh_token);
  assert.notEqual(user.refresh_token, first.refresh_token);
  const bot = await oauth.getBotToken(installationId);
  const [installation] = await oauth.getAppInstallations(bot.access_token, installationId);
  return { user, bot, installation };
}

async function useEverything({ client: configuration, slug, name, identifier }) {
  const client = new PlaneClient(configuration);
  const me = await client.users.me();
  const project = await client.projects.create(slug, { name, identifier });
  await useProjects(client, slug, project);
  await useStatesAndLabels(client, slug, project.id);
  await useWorkItems(client, slug, project, me);
  await usePages(client, slug, project.id);
  await useWorkspace(client, slug);
  const asset = { name: "me.png", type: "image/png", size: 100, entity_type: "USER_AVATAR" };
  assert.ok((await client.users.uploadAsset(asset)).upload_data.url);
  await client.projects.delete(slug, project.id);
  await assert.rejects(client.projects.retrieve(slug, project.id), (error) => error.statusCode === 404);
  return { me };
}

async function useProjects(client, slug, project) {
  const { projects } = client;
  assert.equal((await projects.retrieve(slug, project.id)).name, project.name);
  const changed = await projects.update(slug, project.id, { description: "what it does" });
  assert.equal(changed.description, "what it does");
  assert.ok((await projects.list(slug)).results.some(({ id }) => id === project.id));
  assert.ok((await projects.listLite(slug)).results.some(({ id }) => id === project.id));
  assert.equal((await projects.updateFeatures(slug, project.id, { cycles: true })).cycles, true);
  assert.equal((await projects.retrieveFeatures(slug, project.id)).cycles, true);
  const members = await projects.getMembers(slug, project.id);
  assert.equal((await projects.getMembersLite(slug, project.id)).total_count, members.length);
  assert.deepEqual(await projects.getTotalWorkLogs(slug, project.id), []);
  await projects.archive(slug, project.id);
  assert.ok((await projects.retrieve(slug, project.id)).archived_at);
  await projects.unArchive(slug, project.id);
}

async function useStatesAndLabels(client, slug, projectId) {
  const { states, labels } = client;
  const names = (await states.list(slug, projectId)).results.map((state) => state.name);
  assert.deepEqual(names, ["Backlog", "Todo", "In Progress", "Done", "Cancelled"]);
  const state = await states.create(slug, projectId, { name: "Review", color: "#abcdef", group: "started" });
  assert.equal((await states.retrieve(slug, projectId, state.id)).name, "Review");
  assert.equal((await states.update(slug, projectId, state.id, { color: "#000000" })).color, "#000000");
  await states.delete(slug, projectId, state.id);
  const label = await labels.create(slug, projectId, { name: "bug", color: "#ff0000" });
  assert.equal((await labels.retrieve(slug, projectId, label.id)).name, "bug");
  assert.equal((await labels.update(slug, projectId, label.id, { name: "defect" })).name, "defect");
  assert.equal((await labels.list(slug, projectId)).total_count, 1);
  await labels.delete(slug, projectId, label.id);
}

async function useWorkItems(client, slug, project, me) {
  const { workItems } = client;
  const item = await workItems.create(slug, project.id, { name: "Wheel squeaks", assignees: [me.id] });
  assert.equal((await workItems.retrieve(slug, project.id, item.id)).name, "Wheel squeaks");
  const byIdentifier = await workItems.retrieveByIdentifier(slug, `${project.identifier}-${item.sequence_id}`);
  assert.equal(byIdentifier.id, item.id);
  assert.equal((await workItems.update(slug, project.id, item.id, { priority: "low" })).priority, "low");
  assert.equal((await workItems.list(slug, project.id, { per_page: 10 })).results[0].id, item.id);
  assert.ok((await workItems.listWorkspace(slug)).results.some(({ id }) => id === item.id));
  assert.ok((await workItems.countWorkspace(slug)).total_count >= 1);
  assert.ok((await workItems.search(slug, "squeaks")).issues.some(({ id }) => id === item.id));
  assert.ok((await workItems.advancedSearch(slug, { query: "squeaks" })).some(({ id }) => id === item.id));
  await useComments(workItems.comments, slug, project.id, item.id);
  const done = (await client.states.list(slug, project.id)).results.find(({ group }) => group === "completed");
  await workItems.update(slug, project.id, item.id, { state: done.id });
  await workItems.archive(slug, project.id, item.id);
  assert.equal((await workItems.listArchived(slug, project.id)).total_count, 1);
  await workItems.unarchive(slug, project.id, item.id);
  await workItems.delete(slug, project.id, item.id);
  assert.equal((await workItems.list(slug, project.id)).total_count, 0);
}

async function useComments(comments, slug, projectId, itemId) {
  const made = await comments.create(slug, projectId, itemId, { comment_html: "<p>oil it</p>" });
  assert.equal((await comments.retrieve(slug, projectId, itemId, made.id)).comment_html, "<p>oil it</p>");
  const changed = await comments.update(slug, projectId, itemId, made.id, { comment_html: "<p>oiled</p>" });
  assert.equal(changed.comment_html, "<p>oiled</p>");
  assert.equal((await comments.list(slug, projectId, itemId)).total_count, 1);
  await comments.delete(slug, projectId, itemId, made.id);
  assert.equal((await comments.list(slug, projectId, itemId)).total_count, 0);
}

async function usePages(client, slug, projectId) {
  const page = await client.pages.createProjectPage(slug, projectId, {
    name: "Manual",
    description_html: "<p>Read me</p>",
  });
  assert.equal((await client.pages.retrieveProjectPage(slug, projectId, page.id)).name, "Manual");
  assert.equal((await client.pages.listProjectPages(slug, projectId)).results[0].id, page.id);
}

async function useWorkspace(client, slug) {
  const { workspace, roles } = client;
  const members = await workspace.getMembers(slug);
  assert.equal((await workspace.getMembersLite(slug)).total_count, members.length);
  assert.ok((await workspace.getProjectRoleDistribution(slug)).total_distinct_members);
  const before = await workspace.retrieveFeatures(slug);
  const after = await workspace.updateFeatures(slug, { initiatives: !before.initiatives });
  assert.equal(after.initiatives, !before.initiatives);
  const found = await roles.list(slug);
  assert.equal((await roles.retrieve(slug, found.results[0].id)).slug, found.results[0].slug);
}

main().catch((error) => {
  console.error(error, error?.response ?? "");
  process.exit(1);
});
