"""Work items, states and labels as templates take them."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date
from typing import Any
from urllib.parse import quote

from airside.db.base import Row
from airside.portal.work import operations
from airside.portal.work.acting import MAX_CHOICES, Work
from airside.portal.work.people import NOBODY, Person, find_people
from airside.rest.call import Call

PRIORITIES = ("urgent", "high", "medium", "low", "none")
OPEN = ("backlog", "unstarted", "started", "triage")  # state groups of unfinished work

# People and importers may have stored anything as a color; pages use only valid ones.
_COLOR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})|[a-z]{3,20}", re.I)
GREY = "#8e8f93"


def show_color(text: str | None) -> str:
    return text if text and _COLOR.fullmatch(text) else GREY


def item_href(here: str, key: str, item_id: str) -> str:
    """The page of a work item: by its key, or by its id when a slash in the identifier would split the path."""
    return f"{here}/browse/{item_id if '/' in key else quote(key)}/"


class Setting:
    """A project with its states and labels."""

    def __init__(self, here: str, project: Row, role: int, states: list[Row], labels: list[Row]) -> None:
        self.project = show_project(here, project, role)
        self.states = [show_state(state) for state in states]
        self.labels = sorted((show_label(label) for label in labels), key=lambda one: one["name"].casefold())
        self.state_of = {state["id"]: state for state in self.states}
        self.label_of = {label["id"]: label for label in self.labels}


async def find_setting(work: Work, call: Call) -> Setting:
    """The setting of the project that the call was authorized for."""
    path = {"project_id": call.project_id}
    states = await work.perform(operations.LIST_STATES, path, query={"per_page": MAX_CHOICES})
    labels = await work.perform(operations.LIST_LABELS, path, query={"per_page": MAX_CHOICES})
    return Setting(work.here, call.project, call.project_role, states["results"], labels["results"])


def show_project(here: str, project: Row, role: int) -> dict[str, Any]:
    path = f"{here}/projects/{project['id']}"
    return {
        "id": project["id"],
        "name": project["name"],
        "identifier": project["identifier"],
        "href": f"{path}/work-items/",
        "path": path,
        "can_write": role >= operations.CREATE_ITEM.role and not project["archived_at"],
        "can_manage": role >= operations.UPDATE_PROJECT.role,
        "is_archived": bool(project["archived_at"]),
    }


def show_state(state: Row) -> dict[str, Any]:
    return {
        "id": state["id"],
        "name": state["name"],
        "group": state["group"],
        "color": show_color(state["color"]),
        "is_default": state["default"],
    }


def show_label(label: Row) -> dict[str, Any]:
    return {"id": label["id"], "name": label["name"], "color": show_color(label["color"])}


async def people_of(work: Work, items: Iterable[Row], *more: str | None) -> Mapping[str, Person]:
    """The assignees and creators of the work items, and the users in `more`."""
    named = {user_id for item in items for user_id in (*item["assignees"], item["created_by"])}
    return await find_people(work.site.db, {*named, *more})


def show_item(
    work: Work, setting: Setting, item: Row, people: Mapping[str, Person], today: date
) -> dict[str, Any]:
    """One work item in a list, on a board, or at the head of its page."""
    key = f"{setting.project['identifier']}-{item['sequence_id']}"
    state = setting.state_of.get(item["state"]) or show_state(_NO_STATE)
    target = item["target_date"]
    return {
        "id": item["id"],
        "key": key,
        "href": item_href(work.here, key, item["id"]),
        "name": item["name"],
        "priority": item["priority"],
        "state": state,
        "labels": [setting.label_of[one] for one in item["labels"] if one in setting.label_of],
        "assignees": [people.get(one, NOBODY) for one in item["assignees"]],
        "start_date": item["start_date"],
        "target_date": target,
        "is_overdue": bool(target and target < today and state["group"] in OPEN),
        "is_archived": bool(item["archived_at"]),
        "can_write": setting.project["can_write"] and not item["archived_at"],
    }


def today_of(work: Work) -> date:
    return work.site.clock.now().astimezone(UTC).date()


_NO_STATE: Row = {"id": "", "name": "No state", "group": "backlog", "color": None, "default": False}
