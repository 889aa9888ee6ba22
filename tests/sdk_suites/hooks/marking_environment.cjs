// Jest's environment for Node.js, which also says at SDK_MARKS_URL which test begins, and how each ended.

const path = require("node:path");
const { createRequire } = require("node:module");

// Jest comes with the SDK's checkout; where its environment lies there is up to the package manager.
const packages = ["jest", "jest-cli", "jest-config"];
const inside = packages.reduce(
  (from, name) => createRequire(from.resolve(`${name}/package.json`)),
  createRequire(path.join(process.cwd(), "package.json")),
);
const { TestEnvironment } = inside("jest-environment-node");

const marksUrl = process.env.SDK_MARKS_URL;
const send = globalThis.fetch;

async function mark(said) {
  await send(marksUrl, { method: "POST", body: JSON.stringify(said) });
}

function namesOf(block) {
  const names = [];
  for (let one = block; one && one.parent; one = one.parent) names.unshift(one.name);
  return names;
}

function describe(error) {
  const one = Array.isArray(error) ? error[0] ?? error[1] : error;
  return String((one && (one.message ?? one)) ?? "").replace(/\u001b\[\d+m/g, "");
}

module.exports = class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    this.file = path.relative(process.cwd(), context.testPath);
  }

  called(block) {
    return [this.file, ...namesOf(block)].join(" > ");
  }

  async handleTestEvent(event) {
    const { test, describeBlock, hook } = event;
    if (event.name === "run_describe_start") await mark({ now: this.called(describeBlock) });
    else if (event.name === "test_start") await mark({ now: this.called(test) });
    else if (event.name === "test_skip")
      await mark({ test: this.called(test), outcome: "skipped", error: "" });
    else if (event.name === "test_done") {
      const outcome = test.errors.length ? "failed" : "passed";
      await mark({ test: this.called(test), outcome, error: test.errors.map(describe).join("\n") });
    } else if (event.name === "hook_failure" && hook.type === "afterAll")
      await mark({
        test: this.called(describeBlock ?? hook.parent),
        outcome: "failed",
        error: describe(event.error),
        of_cleanup: true,
      });
    if (event.name === "test_done" || event.name === "test_skip") await mark({ now: this.called(test.parent) });
  }
};
