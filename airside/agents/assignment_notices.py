"""What agents built on plane-adk listen for in v1 webhooks, where Plane's own events don't say it.

They take themselves to be assigned when `activity.field` is "assignees" and `new_identifier` is their bot, and
mentioned when it is "description" and only `new_value` holds their bot's id between double quotes. A creation tells
neither, as Community Edition shows, so the agent alone is told of an update beside it.
"""

from airside.db.base import Row
from airside.events.outbox import Change
from airside.rest.call import Call
from airside.rest.gate import record_act, show_v1, show_v2
from airside.rest.resource import Resource
from airside.webhooks.endpoints import list_endpoints_of
from airside.webhooks.reach import may_receive
from airside.work.work_items.comments import COMMENTS
from airside.work.work_items.work_items import WORK_ITEMS


async def notice_assignment(call: Call, agent: Row, item: Row) -> None:
    """A work item that was made with the agent as assignee."""
    change = Change("assignees", [], item["assignees"], None, agent["bot_user_id"])
    await _notice(call, agent, WORK_ITEMS, item, change)


async def notice_mention(call: Call, agent: Row, comment: Row, before: Row | None) -> None:
    """A comment that mentions the agent, when it didn't before."""
    change = Change("description", before["comment_html"] if before else "", comment["comment_html"])
    await _notice(call, agent, COMMENTS, comment, change)


async def _notice(call: Call, agent: Row, resource: Resource, row: Row, change: Change) -> None:
    name = f"{resource.event}.updated"
    if not await _listens(call, agent, name, row["project_id"]):
        return
    await record_act(
        call,
        name,
        row["id"],
        project_id=row["project_id"],
        data=await show_v1(call, resource, row),
        data_v2=show_v2(resource, row),
        changes=[change],
        installation_id=agent["installation_id"],
    )


async def _listens(call: Call, agent: Row, name: str, project_id: str) -> bool:
    """Whether somebody takes v1 for it and may hear of this; v2 tells who is assigned and mentioned by itself."""
    told = {"name": name, "project_id": project_id}
    return any(
        endpoint["is_active"] and endpoint["version"] == "v1" and may_receive(endpoint, told)
        for endpoint in await list_endpoints_of(call.reader, [agent["installation_id"]])
    )
