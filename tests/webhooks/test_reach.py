"""Which events an endpoint may receive: of its projects, readable by its app, never private ones."""

from typing import Any

from airside.db.base import Row, new_id
from airside.runtime.site import Site
from airside.webhooks.fanout import fan_out
from airside.webhooks.queue.database import DatabaseQueue
from airside.webhooks.reach import limit_endpoints_of, may_receive
from tests.webhooks.scenes import changed, deliveries, happen, listen

PROJECT = new_id()


def receives(name: str = "workitem.created", project_id: str | None = PROJECT, **limits: Any) -> bool:
    endpoint: Row = {"is_suspended": False, "project_ids": None, "readable_scopes": None} | limits
    return may_receive(endpoint, {"name": name, "project_id": project_id})


def test_without_limits_everything_is_received_and_suspended_nothing() -> None:
    assert receives()
    assert not receives(is_suspended=True)


def test_only_events_of_chosen_projects_and_of_the_workspace_are_received() -> None:
    assert receives(project_ids=[PROJECT, new_id()])
    assert not receives(project_ids=[new_id()])
    assert not receives(project_ids=[])
    assert receives("workspace.updated", None, project_ids=[])


def test_only_events_that_the_scopes_read_are_received() -> None:
    read = ["projects.work_items:read"]
    assert receives(readable_scopes=read)
    assert not receives("workitem.comment.created", readable_scopes=read)
    assert not receives(readable_scopes=["projects:read"])
    assert not receives(readable_scopes=[])


def test_a_page_in_no_project_is_read_with_the_wikis_scope() -> None:
    assert receives("page.created", readable_scopes=["projects.pages:read"])
    assert not receives("page.created", None, readable_scopes=["projects.pages:read"])
    assert receives("page.created", None, readable_scopes=["wiki.pages:read"])


async def test_private_events_are_sent_to_nobody(site: Site) -> None:
    endpoint_id = await listen(site, "http://127.0.0.1:9/")
    for name in ("page.created", "page.updated", "page.deleted"):
        await happen(site, name, is_private=True, changes=changed("name") if name == "page.updated" else [])
    event_id = await happen(site, "page.created")
    await fan_out(site, DatabaseQueue(site))
    assert [(one["endpoint_id"], one["event_id"]) for one in await deliveries(site)] == [
        (endpoint_id, event_id)
    ]


async def test_what_an_installation_allows_reaches_its_endpoint(site: Site) -> None:
    installation_id = new_id()
    await listen(site, "http://127.0.0.1:9/", installation_id=installation_id)
    limits: dict[str, Any] = {"readable_scopes": None, "project_ids": [PROJECT], "is_suspended": False}
    async with site.db.transaction() as tx:
        await limit_endpoints_of(tx, installation_id, **limits)
    inside = await happen(site, project_id=PROJECT)
    await happen(site, project_id=new_id())
    await fan_out(site, DatabaseQueue(site))
    assert [one["event_id"] for one in await deliveries(site)] == [inside]
