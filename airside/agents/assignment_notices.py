"""Extra v1 update events for agents built on plane-adk, which otherwise miss assignments and mentions on creation.

plane-adk detects an assignment by `activity.field` "assignees" with its bot as `new_identifier`, and a mention by
the field "description" where only `new_value` contains its bot's id in double quotes. A creation event has neither
(as in Community Edition), so the agent alone also receives an update event.
"""

from airside.agents.directory import Agent
from airside.events.outbox import Change
from airside.host.chosen import host_of
from airside.host.protocol import Comment, Item
from airside.rest.call import Call
from airside.webhooks.endpoints import list_endpoints_of
from airside.webhooks.reach import Happened, may_receive


async def notice_assignment(call: Call, agent: Agent, item: Item) -> None:
    """Send the agent an update event for a work item that was created with it as assignee."""
    change = Change("assignees", [], item.assignees, None, agent.bot_user_id)
    await _notice(call, agent, "workitem.updated", item, change)


async def notice_mention(call: Call, agent: Agent, comment: Comment, before: Comment | None) -> None:
    """Send the agent an update event for a comment that newly mentions it."""
    change = Change("description", before.html if before else "", comment.html)
    await _notice(call, agent, "workitem.comment.updated", comment, change)


async def _notice(call: Call, agent: Agent, name: str, record: Comment | Item, change: Change) -> None:
    if await _receives_v1(call, agent, name, record.project_id):
        await host_of(call.site).send_update(call, record, change, agent.installation_id)


async def _receives_v1(call: Call, agent: Agent, name: str, project_id: str) -> bool:
    """Whether an active v1 endpoint of the agent may receive the event; v2 payloads contain this already."""
    event: Happened = {"name": name, "project_id": project_id}
    return any(
        endpoint["is_active"] and endpoint["version"] == "v1" and may_receive(endpoint, event)
        for endpoint in await list_endpoints_of(call.reader, [agent.installation_id])
    )
