// Runs the rows of the methods that are given on stdin, and prints for each a line of JSON: what it requested and the
// error with which it failed. With --list it prints every row's method instead.
const { readFileSync, readdirSync } = require("node:fs");
const { join } = require("node:path");
const axios = require("axios");
const { PlaneClient } = require("@makeplane/plane-node-sdk");
const { REFUSED, ROWS, unique } = require("./rows.cjs");

const FAMILIES = join(__dirname, "families");
for (const name of readdirSync(FAMILIES).sort()) require(join(FAMILIES, name));

function makePlace({ baseUrl, apiKey, botToken, slug, projectId, me }) {
  const client = new PlaneClient({ baseUrl, apiKey });
  const bot = new PlaneClient({ baseUrl, accessToken: botToken });
  return {
    baseUrl,
    client,
    bot,
    slug,
    projectId,
    me,
    item: (fields = {}) => client.workItems.create(slug, projectId, { name: unique("Wheel"), ...fields }),
    async project() {
      const name = unique("Hangar");
      const { id } = await client.projects.create(slug, { name, identifier: `X${name.split(" n")[1]}` });
      const flags = Object.keys(await client.projects.retrieveFeatures(slug, id));
      await client.projects.updateFeatures(slug, id, Object.fromEntries(flags.map((flag) => [flag, true])));
      return id;
    },
    async state(group) {
      const { results } = await client.states.list(slug, projectId);
      return results.find((state) => state.group === group).id;
    },
  };
}

let requested = [];

function record(answer) {
  const { method, url } = answer.config;
  requested.push([method.toUpperCase(), new URL(url).pathname, answer.status]);
}

axios.interceptors.response.use(
  (answer) => {
    record(answer);
    return answer;
  },
  (error) => {
    if (error.response) record(error.response);
    return Promise.reject(error);
  },
);

async function main() {
  const { methods, ...given } = JSON.parse(readFileSync(0, "utf8"));
  const place = makePlace(given);
  for (const method of methods) {
    requested = [];
    let error = null;
    try {
      await ROWS.get(method)(place);
    } catch (raised) {
      error = `${raised.stack} ${JSON.stringify(raised.response ?? "")}`;
    }
    console.log(JSON.stringify({ method, requested, error, isRefused: REFUSED.has(method) }));
  }
}

if (process.argv.includes("--list")) {
  console.log(JSON.stringify([...ROWS.keys()]));
} else {
  main();
}
