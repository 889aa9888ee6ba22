// States and labels: of a project, and of a workspace for its projects.
const { records, unique } = require("../rows.cjs");

const at = ({ projectId }) => [projectId];

records("states", {
  at,
  make: () => ({ name: unique("Review"), color: "#abcdef", group: "started", description: "By a peer" }),
  change: () => ({ name: unique("Proof"), color: "#000000", group: "completed" }),
});
records("labels", {
  at,
  make: () => ({ name: unique("bug"), color: "#ff0000", external_id: unique("b"), external_source: "git" }),
  change: () => ({ name: unique("defect"), color: "#00ff00" }),
});
const WITHOUT_ONE = ["create", "list", "update", "delete"]; // none of them is read alone
records("workspaceProjectStates", {
  make: () => ({ name: unique("Planned"), color: "#abcdef", group: "planning" }),
  change: () => ({ name: unique("Soon"), color: "#000000" }),
  names: { delete: "del" },
  verbs: WITHOUT_ONE,
});
records("workspaceProjectLabels", {
  make: () => ({ name: unique("client"), color: "#ff0000" }),
  change: () => ({ name: unique("customer"), color: "#00ff00" }),
  names: { delete: "del" },
  verbs: WITHOUT_ONE,
});
