"""Extra v1 update events for agents built on plane-adk, which otherwise miss assignments and mentions on creation.

plane-adk detects an assignment by `activity.field` "assignees" with its bot as `new_identifier`, and a mention by
the field "description" where only `new_value` contains its bot's id in double quotes. A creation event has neither
(as in Community Edition), so the agent alone also receives an update event.
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
    """Send the agent an update event for a work item that was created with it as assignee."""
    change = Change("assignees", [], item["assignees"], None, agent["bot_user_id"])
    await _notice(call, agent, WORK_ITEMS, item, change)


async def notice_mention(call: Call, agent: Row, comment: Row, before: Row | None) -> None:
    """Send the agent an update event for a comment that newly mentions it."""
    change = Change("description", before["comment_html"] if before else "", comment["comment_html"])
    await _notice(call, agent, COMMENTS, comment, change)


async def _notice(call: Call, agent: Row, resource: Resource, row: Row, change: Change) -> None:
    name = f"{resource.event}.updated"
    if not await _receives_v1(call, agent, name, row["project_id"]):
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


async def _receives_v1(call: Call, agent: Row, name: str, project_id: str) -> bool:
    """Whether an active v1 endpoint of the agent may receive the event; v2 payloads contain this already."""
    event = {"name": name, "project_id": project_id}
    return any(
        endpoint["is_active"] and endpoint["version"] == "v1" and may_receive(endpoint, event)
        for endpoint in await list_endpoints_of(call.reader, [agent["installation_id"]])
    )
