"""What plans the work items of the demo: types with properties, cycles, modules, milestones, epics, an estimate,
relations, an intake, pages below pages. Made over the API, as an app would."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

PROPERTIES: tuple[dict[str, Any], ...] = (
    {
        "display_name": "Severity",
        "property_type": "OPTION",
        "options": [
            {"name": "Grounds the aircraft", "logo_props": {"icon": {"background_color": "#c02a1f"}}},
            {"name": "Cosmetic"},
        ],
    },
    {"display_name": "Found on", "property_type": "DATETIME"},
    {"display_name": "Litres lost", "property_type": "DECIMAL"},
    {"display_name": "Safety report filed", "property_type": "BOOLEAN"},
    {"display_name": "Log", "property_type": "URL"},
    {"display_name": "Inspectors", "property_type": "RELATION", "relation_type": "USER", "is_multi": True},
    {"display_name": "Repeats", "property_type": "RELATION", "relation_type": "ISSUE"},
    {"display_name": "Statement", "property_type": "RELATION", "relation_type": "RICH_TEXT"},
    {"display_name": "Reported by", "property_type": "EMAIL"},
)


@dataclass
class Planner:
    """A client of the API at one project."""

    url: str
    api: requests.Session
    project: str

    @classmethod
    def at(cls, url: str, api_key: str, project_id: str) -> "Planner":
        api = requests.Session()
        api.headers["X-API-Key"] = api_key
        return cls(url, api, project_id)

    def send(self, method: str, path: str, body: Any, *, of_workspace: bool = False) -> Any:
        below = "" if of_workspace else f"projects/{self.project}/"
        answer = self.api.request(
            method, f"{self.url}/api/v1/workspaces/acme/{below}{path}/", json=body, timeout=30
        )
        assert answer.ok, (path, answer.text)
        return answer.json() if answer.content else None

    def post(self, path: str, body: Any, **where: bool) -> Any:
        return self.send("POST", path, body, **where)


def plan(url: str, api_key: str, project_id: str, items: list[dict[str, Any]], ben: str) -> dict[str, str]:
    """Plan these work items, of which the first has everything; a value for each parameter of a path."""
    planner = Planner.at(url, api_key, project_id)
    known = _schedule(planner, items, ben)
    known |= _describe(planner, items, ben)
    _relate(planner, items)
    known |= _file(planner, items)
    return known | _write_pages(planner)


def _schedule(planner: Planner, items: list[dict[str, Any]], ben: str) -> dict[str, str]:
    today, ids = datetime.now(UTC).date(), [item["id"] for item in items]
    dates = {"start_date": f"{today - timedelta(days=4)}", "end_date": f"{today + timedelta(days=9)}"}
    cycle = planner.post("cycles", {"name": "Sprint 12", "description": "Rain and noise.", **dates})
    planner.post(f"cycles/{cycle['id']}/cycle-issues", {"issues": ids[:6]})
    module = planner.post(
        "modules", {"name": "Airframe", "status": "in-progress", "lead": ben, "members": [ben],
                    "start_date": f"{today}", "target_date": f"{today + timedelta(days=60)}"},
    )  # fmt: skip
    planner.post(f"modules/{module['id']}/module-issues", {"issues": ids[:4]})
    planner.post("modules", {"name": "Cabin", "status": "backlog"})
    due = {"title": "Public beta", "target_date": f"{today + timedelta(days=30)}"}
    milestone = planner.post("milestones", due)
    planner.post(f"milestones/{milestone['id']}/work-items", {"issues": ids[:3]})
    epic = planner.post("epics", {"name": "Fly in any weather", "priority": "high"})
    estimate = planner.post("estimates", {"name": "Story points", "type": "points"})
    values = [{"value": value} for value in ("1", "2", "3", "5", "8")]
    points = planner.post(f"estimates/{estimate['id']}/estimate-points", values)
    for item, point in zip(items[:5], points, strict=True):
        body = {"estimate_point": point["id"], "parent": epic["id"]}
        planner.send("PATCH", f"work-items/{item['id']}", body)
    return {"cycle_id": cycle["id"], "module_id": module["id"], "milestone_id": milestone["id"]}


def _describe(planner: Planner, items: list[dict[str, Any]], ben: str) -> dict[str, str]:
    kind = planner.post(
        "work-item-types", {"name": "Defect", "description": "What flies worse than it should."}
    )
    made = [planner.post(f"work-item-types/{kind['id']}/work-item-properties", one) for one in PROPERTIES]
    values: list[Any] = [
        made[0]["options"][0]["id"], "2026-02-03", 12.5, True, "https://example.com/log", [ben], items[1]["id"],
        {"description_html": "<p>It <strong>drips</strong> on row 4.</p>"},
    ]  # fmt: skip
    item = f"work-items/{items[0]['id']}"
    planner.send("PATCH", item, {"type_id": kind["id"]})
    for one, value in zip(made[: len(values)], values, strict=True):
        planner.post(f"{item}/work-item-properties/{one['id']}/values", {"value": value})
    return {"type_id": kind["id"], "property_id": made[0]["id"]}


def _relate(planner: Planner, items: list[dict[str, Any]]) -> None:
    ids = [item["id"] for item in items]
    for name, others in (
        ("blocking", ids[1:3]), ("blocked_by", ids[3:4]), ("relates_to", ids[4:5]), ("duplicate", ids[5:6]),
        ("start_after", ids[6:7]), ("finish_before", ids[7:8]),
    ):  # fmt: skip
        planner.post(f"work-items/{ids[0]}/relations", {"relation_type": name, "issues": others})
    body = {"name": "Cause", "outward": "caused by", "inward": "causes", "color": "#8a4fd0"}
    cause = planner.post("work-item-relation-definitions", body, of_workspace=True)
    related = {"relation_definition_id": cause["id"], "relation_definition_type": "caused by"}
    planner.post(f"work-items/{ids[0]}/work-item-relations", related | {"work_item_ids": ids[2:3]})


def _file(planner: Planner, items: list[dict[str, Any]]) -> dict[str, str]:
    """Requests in each status; the one to look at waits."""
    filed = [
        planner.post("intake-issues", {"issue": {"name": name, "description_html": "<p>Please.</p>"}})
        for name in ("Heated seats", "The door sticks", "Leaks in rain", "Free coffee")
    ]
    decisions: list[dict[str, Any]] = [
        {"status": 0, "snoozed_till": f"{datetime.now(UTC).date() + timedelta(days=7)}T09:00:00Z"},
        {"status": 2, "duplicate_to": items[0]["id"]},
        {"status": -1},
    ]
    for one, decision in zip(filed[1:], decisions, strict=True):
        planner.send("PATCH", f"intake-issues/{one['issue']}", decision)
    return {"intake_work_item_id": filed[0]["issue"]}


def _write_pages(planner: Planner) -> dict[str, str]:
    handbook = planner.post("pages", {"name": "Handbook", "description_html": "<p>How we fly.</p>"})
    body = {
        "description_html": "<h2>Before take-off</h2><ul><li>Doors</li></ul>",
        "parent_id": handbook["id"],
    }
    planner.post("pages", {"name": "Checklists", "is_locked": True, **body})
    planner.post("pages", {"name": "Notes of mine", "access": 1, "description_html": "<p>Ask Ben.</p>"})
    planner.post("collections", {"name": "Manuals"}, of_workspace=True)
    return {"page_id": handbook["id"]}
