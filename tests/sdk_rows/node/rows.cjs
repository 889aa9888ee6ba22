// The rows of plane-node-sdk by its method. A family has a file; a record of the usual five methods is one call of
// `records`, anything else a function given to `row`.
const assert = require("node:assert/strict");

const ROWS = new Map();
const REFUSED = new Set(); // methods which are always refused, so that their rows expect that
let made = 0;

function row(method, run, { isRefused = false } = {}) {
  assert.ok(!ROWS.has(method), `two rows for ${method}`);
  ROWS.set(method, run);
  if (isRefused) REFUSED.add(method);
}

function unique(word) {
  made += 1;
  return `${word} n${made}`;
}

// A row for each of the methods. `make` and `change` return what is sent, `at` the ids of the parents below the
// workspace; `names` has verbs whose method is called otherwise, `unread` fields that no answer has, and `unlisted`
// those that a list lacks.
function records(api, { verbs = Object.keys(CHECKS), ...given }) {
  const kind = { api, at: () => [], names: {}, unread: [], unlisted: [], ...given };
  for (const verb of verbs) row(nameOf(kind, verb), (place) => CHECKS[verb](kind, place));
  return kind;
}

function nameOf({ api, names }, verb) {
  return `${api}.${names[verb] ?? verb}`;
}

function call(kind, place, verb, ...given) {
  const parts = nameOf(kind, verb).split(".");
  const method = parts.pop();
  const resource = parts.reduce((found, name) => found[name], place.client);
  return resource[method](place.slug, ...given);
}

async function create(kind, place, parents) {
  const sent = await kind.make(place);
  return { made: await call(kind, place, "create", ...parents, sent), sent };
}

async function list(kind, place, parents) {
  const listed = await call(kind, place, "list", ...parents);
  return Array.isArray(listed) ? listed : listed.results;
}

// The record, from the list if it can't be had alone.
async function read(kind, place, parents, id) {
  if (ROWS.has(nameOf(kind, "retrieve"))) return call(kind, place, "retrieve", ...parents, id);
  return (await list(kind, place, parents)).find((one) => one.id === id);
}

function check({ unread }, record, sent, without = []) {
  for (const [name, value] of Object.entries(sent)) {
    if (!unread.includes(name) && !without.includes(name)) assert.deepEqual(record[name], value, name);
  }
}

const CHECKS = {
  async create(kind, place) {
    const parents = await kind.at(place);
    const { made, sent } = await create(kind, place, parents);
    check(kind, made, sent);
    check(kind, await read(kind, place, parents, made.id), sent);
  },
  async retrieve(kind, place) {
    const parents = await kind.at(place);
    const { made, sent } = await create(kind, place, parents);
    await create(kind, place, parents);
    const found = await call(kind, place, "retrieve", ...parents, made.id);
    assert.equal(found.id, made.id);
    check(kind, found, sent);
  },
  async list(kind, place) {
    const parents = await kind.at(place);
    const all = [await create(kind, place, parents), await create(kind, place, parents)];
    const listed = new Map((await list(kind, place, parents)).map((one) => [one.id, one]));
    for (const { made, sent } of all) check(kind, listed.get(made.id), sent, kind.unlisted);
  },
  async update(kind, place) {
    const parents = await kind.at(place);
    const { made, sent } = await create(kind, place, parents);
    const changed = await kind.change(place);
    await call(kind, place, "update", ...parents, made.id, changed);
    check(kind, await read(kind, place, parents, made.id), { ...sent, ...changed });
  },
  async delete(kind, place) {
    const parents = await kind.at(place);
    const { made } = await create(kind, place, parents);
    const { made: left } = await create(kind, place, parents);
    await call(kind, place, "delete", ...parents, made.id);
    const ids = (await list(kind, place, parents)).map(({ id }) => id);
    assert.ok(!ids.includes(made.id));
    assert.ok(ids.includes(left.id));
    if (ROWS.has(nameOf(kind, "retrieve"))) {
      const gone = call(kind, place, "retrieve", ...parents, made.id);
      await assert.rejects(gone, (error) => error.statusCode === 404);
    }
  },
};

module.exports = { REFUSED, ROWS, create, read, records, row, unique };
