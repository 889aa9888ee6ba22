"""A project that holds a record of every kind that Airside serves in projects, made through the API."""

from dataclasses import dataclass, field
from typing import Any

import requests

from tests.client_suites.place import Place

NOTES = b"Notes of the mission"


@dataclass
class FullProject:
    """Ids by name. `read` counts what a list of it has."""

    place: Place
    id: str = ""
    ids: dict[str, str] = field(default_factory=dict)

    def post(self, path: str, /, **body: Any) -> Any:
        return self._send("POST", path, body)

    def read(self, path: str) -> Any:
        answer = self._send("GET", path, None)
        return answer["results"] if isinstance(answer, dict) and "results" in answer else answer

    def make(self, name: str, path: str, /, **body: Any) -> str:
        self.ids[name] = self.post(path, **body)["id"]
        return self.ids[name]

    def _send(self, method: str, path: str, body: Any) -> Any:
        answer = self.place.call(method, f"projects/{self.id}/{path}", body)
        assert answer.ok, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None


def make_full_project(place: Place, identifier: str) -> FullProject:
    named = {"name": f"All of {identifier}", "identifier": identifier}
    made = place.call("POST", "projects/", named).json()
    project = FullProject(place, made["id"])
    flags = ("cycles", "modules", "views", "pages", "intakes", "epics", "work_item_types", "milestones")
    place.call("PATCH", f"projects/{project.id}/features/", dict.fromkeys(flags, True)).raise_for_status()
    place.call("PATCH", f"projects/{project.id}/", {"is_time_tracking_enabled": True}).raise_for_status()
    add_types(project)
    add_work_items(project)
    add_to_item(project)
    add_plans(project)
    add_pages(project)
    return project


def add_types(project: FullProject) -> None:
    project.make("task", "work-item-types/", name="Task", is_default=True)
    kind = project.make("type", "work-item-types/", name="Bug", description="A defect")
    properties = f"work-item-types/{kind}/work-item-properties/"
    for name, property_type in (
        ("cause", "TEXT"),
        ("cost", "DECIMAL"),
        ("again", "BOOLEAN"),
        ("seen", "DATETIME"),
    ):
        settings = {"TEXT": {"display_format": "single-line"}, "DATETIME": {"display_format": "MMM dd, yyyy"}}
        project.make(
            name,
            properties,
            display_name=name,
            property_type=property_type,
            settings=settings.get(property_type, {}),
        )
    options = [{"name": "Low"}, {"name": "High"}]
    project.make("severity", properties, display_name="severity", property_type="OPTION", options=options)
    project.ids["high"] = project.read(f"work-item-properties/{project.ids['severity']}/options/")[1]["id"]


def add_work_items(project: FullProject) -> None:
    label = project.make("label", "labels/", name="Crew", color="#EF4444")
    state = project.make("state", "states/", name="In flight", color="#3B82F6", group="started")
    estimate = project.make("estimate", "estimates/", name="Size", type="points")
    points = project.place.call(
        "POST", f"projects/{project.id}/estimates/{estimate}/estimate-points/", [{"value": "1", "key": 0}]
    ).json()
    ids = {
        "type_id": project.ids["type"],
        "state": state,
        "labels": [label],
        "assignees": [project.place.ana_id],
    }
    item = project.make(
        "item", "work-items/", name="Build the rocket", priority="high", estimate_point=points[0]["id"],
        start_date="2026-12-02", target_date="2026-12-10", **ids,
    )  # fmt: skip
    project.make("child", "work-items/", name="First stage", parent=item)
    project.make("other", "work-items/", name="Choose a crew")
    project.make("epic", "epics/", name="Moon landing")
    values = {
        "cause": "A screw",
        "cost": 7.5,
        "again": True,
        "seen": "2026-11-30",
        "severity": project.ids["high"],
    }
    for name, value in values.items():
        project.post(f"work-items/{item}/work-item-properties/{project.ids[name]}/values/", value=value)


def add_to_item(project: FullProject) -> None:
    at, other = f"work-items/{project.ids['item']}", project.ids["other"]
    project.make("comment", f"{at}/comments/", comment_html="<p>Ready?</p>")
    project.make("link", f"{at}/links/", url="https://example.com/plan", title="The plan")
    project.make("worklog", f"{at}/worklogs/", duration=90, description="Welding")
    project.post(f"{at}/relations/", relation_type="relates_to", issues=[other])
    project.post(f"{at}/dependencies/", relation_type="blocking", work_item_ids=[project.ids["child"]])
    requested = project.post(f"{at}/attachments/", name="notes.txt", type="text/plain", size=len(NOTES))
    upload = requested["upload_data"]
    requests.post(upload["url"], data=upload["fields"], files={"file": NOTES}, timeout=20).raise_for_status()
    confirmed = project.place.call(
        "PATCH", f"projects/{project.id}/{at}/attachments/{requested['asset_id']}/", {}
    )
    confirmed.raise_for_status()
    project.ids["attachment"] = requested["asset_id"]


def add_plans(project: FullProject) -> None:
    items = [project.ids["item"], project.ids["other"]]
    dates = {"start_date": "2026-12-01", "end_date": "2026-12-14"}
    cycle = project.make("cycle", "cycles/", name="Sprint 1", description="The first", **dates)
    project.post(f"cycles/{cycle}/cycle-issues/", issues=items)
    module = project.make("module", "modules/", name="Engines", status="in-progress", start_date="2026-12-01")
    project.post(f"modules/{module}/module-issues/", issues=items)
    milestone = project.make("milestone", "milestones/", title="Launch", target_date="2027-03-31")
    project.post(f"milestones/{milestone}/work-items/", issues=items)
    project.make("intake", "intake-issues/", issue={"name": "Leaking valve"})


def add_pages(project: FullProject) -> None:
    page = project.make("page", "pages/", name="Checklist", description_html="<p>Fuel</p>")
    project.make("page below", "pages/", name="Fuel", description_html="<p>Kerosene</p>", parent_id=page)
    project.post(f"work-items/{project.ids['item']}/pages/", page_id=page)
