// Pages of a project.
const { records, unique } = require("../rows.cjs");

records("pages", {
  at: ({ projectId }) => [projectId],
  make: () => ({ name: unique("Manual"), description_html: "<p>Read me</p>" }),
  names: { create: "createProjectPage", retrieve: "getProjectPage", list: "listProjectPages" },
  unlisted: ["description_html"],
  verbs: ["create", "retrieve", "list"],
});
