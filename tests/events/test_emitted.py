"""Which events are recorded today, and which are not yet: a new resource removes its own from the list."""

from pathlib import Path

import airside
from airside.api.v1 import TABLE
from airside.events.catalog import get_kind, list_kinds
from airside.rest.routes import list_routes
from airside.runtime.site import Site
from airside.work.projects.projects import PROJECT_ROUTES, PROJECTS_V1
from airside.work.work_items.work_items import WORK_ITEM_ROUTES, WORK_ITEMS_V1
from tests.cast import make_cast
from tests.support.api import list_events, serve_api

# Recorded by processes that aren't routes of the table.
BY_PROCESSES = {
    "app.installed", "app.suspended", "app.unsuspended", "app.scopes_changed", "app.projects_changed",
    "app.uninstalled", "workspace.member.created", "workspace.member.updated", "webhook.ping",
    "agent_run.activity.created", "workspace.app_policy.updated", "workspace.updated",
    "project.features.updated", "workitem.attachment.created",
}  # fmt: skip
# Of what Plane documents, and of Airside's own.
STILL_TO_COME = {
    *(f"page.comment.{action}" for action in ("created", "updated", "deleted")),
    *(f"workitem.vote.{action}" for action in ("created", "deleted")),
}
V1_STILL_TO_COME: set[str] = set()
SPEAK_OF_EVENTS = ("agents", "apps", "identity", "installations", "work", "workspaces")  # rooms that record
V1_DOCUMENTED = {"project", "issue", "module", "cycle", "issue_comment"}


def emitted() -> set[str]:
    return {route.event for route in list_routes(TABLE) if route.event} | BY_PROCESSES


def test_every_event_is_emitted_by_a_declaration_or_is_on_the_list() -> None:
    assert set(list_kinds()) - emitted() == STILL_TO_COME


def test_what_is_still_to_come_is_recorded_nowhere_and_what_processes_record_is() -> None:
    root = Path(airside.__file__).parent
    emitted_names = "".join(
        path.read_text() for path in root.rglob("*.py") if path.relative_to(root).parts[0] in SPEAK_OF_EVENTS
    )
    assert [name for name in STILL_TO_COME if f'"{name}"' in emitted_names] == []
    spelled = {name for name in BY_PROCESSES if f'"{name}"' in emitted_names}
    assert {name.rpartition(".")[0] for name in BY_PROCESSES - spelled} == {
        "webhook", "agent_run.activity", "project.features", "workspace.member",
    }, "a constant's, or put together"  # fmt: skip


def test_plane_s_43_are_either_emitted_or_on_the_list() -> None:
    planes = {kind.name for kind in list_kinds().values() if kind.defined_by_plane}
    assert len(planes) == 43
    assert len(planes & emitted()) == 43 - len(planes & STILL_TO_COME)


def test_v1_s_events_are_emitted_but_for_those_on_the_list() -> None:
    emitted_names = {get_kind(name).v1_event for name in emitted()}
    assert V1_DOCUMENTED - emitted_names == V1_STILL_TO_COME


async def test_an_update_keeps_who_did_it_in_which_order_and_what_was_before(site: Site) -> None:
    cast = await make_cast(site)
    api = serve_api(site, PROJECTS_V1, *PROJECT_ROUTES, WORK_ITEMS_V1, *WORK_ITEM_ROUTES)
    async with api.acting_as(cast.ana["id"]) as ana:
        project = (await ana.post("workspaces/acme/projects", {"name": "Engine", "identifier": "ENG"})).json
        path = f"workspaces/acme/projects/{project['id']}/work-items"
        item = (await ana.post(path, {"name": "Wheel"})).json
        await ana.patch(f"{path}/{item['id']}", {"name": "Big wheel", "priority": "high"})
        await ana.patch(f"{path}/{item['id']}", {"priority": "high"})
        await ana.delete(f"{path}/{item['id']}")
    made, gone, changed = await list_events(site, "workitem.")
    assert [row["sequence"] for row in (made, changed, gone)] == [1, 2, 3], (
        "an update without changes records nothing"
    )
    assert {row["actor_id"] for row in (made, changed, gone)} == {cast.ana["id"]}
    assert changed["actor"]["email"] == "ana@example.com"
    assert changed["previous"] == {"name": "Wheel", "priority": "none"}
    assert made["previous"] == {}
    assert (gone["previous"]["name"], gone["data_v2"]) == ("Big wheel", {})
    assert gone["data"]["state"]["group"], "what filters ask for is frozen too"
