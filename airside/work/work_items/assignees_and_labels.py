"""Assignees and labels of work items: stored in the given order, read for many work items at once."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import Invalid
from airside.identity.tables import users
from airside.rest.call import Call
from airside.rest.computed import Computed
from airside.rest.parameters import Link, Many
from airside.rest.record import ADMIN, GUEST
from airside.work.projects.labels import labels
from airside.work.projects.tables import project_members
from airside.work.work_items.sorts import first_assignee, first_label
from airside.work.work_items.tables import work_item_assignees, work_item_labels
from airside.workspaces.tables import workspace_members

_ASSIGNEES = Statement(
    sa.select(work_item_assignees.c.work_item_id, work_item_assignees.c.user_id.label("linked"))
    .where(
        tenant(work_item_assignees),
        any_of(work_item_assignees.c.work_item_id, "ids"),
    )
    .order_by(work_item_assignees.c.position)
)
_LABELS = Statement(
    sa.select(work_item_labels.c.work_item_id, work_item_labels.c.label_id.label("linked"))
    .join(
        labels,
        sa.and_(
            labels.c.workspace_id == work_item_labels.c.workspace_id,
            labels.c.id == work_item_labels.c.label_id,
            live(labels),
        ),
    )
    .where(
        tenant(work_item_labels),
        any_of(work_item_labels.c.work_item_id, "ids"),
    )
    .order_by(work_item_labels.c.position)
)
# Who can be assigned: members of the project, and admins of the workspace (including apps' bots).
_ASSIGNABLE = Statement(
    sa.select(workspace_members.c.user_id)
    .join(
        project_members,
        sa.and_(
            project_members.c.workspace_id == workspace_members.c.workspace_id,
            project_members.c.member_id == workspace_members.c.user_id,
            project_members.c.project_id == sa.bindparam("project_id", type_=Id()),
            project_members.c.role > GUEST,
            live(project_members),
        ),
        isouter=True,
    )
    .where(
        tenant(workspace_members),
        any_of(workspace_members.c.user_id, "ids"),
        workspace_members.c.is_active,
        live(workspace_members),
        workspace_members.c.role > GUEST,
        sa.or_(project_members.c.id.is_not(None), workspace_members.c.role >= ADMIN),
    )
)


async def check_assignees(call: Call, user_ids: list[str], assigned: list[str]) -> None:
    """Raises Invalid, with the message for a missing id, for new assignees who can't be assigned. Plane silently
    drops them, which its users see as data loss."""
    if set(user_ids) <= set(assigned):
        return
    rows = await call.reader.fetch_all(
        _ASSIGNABLE, workspace_id=call.workspace_id, project_id=call.project_id, ids=user_ids
    )
    allowed = {*assigned, *(row["user_id"] for row in rows)}
    wrong = {
        str(position): [f'Invalid pk "{user_id}" - object does not exist.']
        for position, user_id in enumerate(user_ids)
        if user_id not in allowed
    }
    if wrong:
        raise Invalid({"assignees": wrong})


async def link_assignees(call: Call, work_item_id: str, user_ids: list[str]) -> None:
    await _link(call, work_item_assignees, "user_id", work_item_id, user_ids)


async def replace_assignees(call: Call, work_item_id: str, user_ids: list[str]) -> None:
    await call.writer.delete(work_item_assignees, workspace_id=call.workspace_id, work_item_id=work_item_id)
    await link_assignees(call, work_item_id, user_ids)


async def link_labels(call: Call, work_item_id: str, label_ids: list[str]) -> None:
    await _link(call, work_item_labels, "label_id", work_item_id, label_ids)


async def _link(call: Call, table: sa.Table, column: str, work_item_id: str, ids: list[str]) -> None:
    """Insert each id once, in this order."""
    keys = {"workspace_id": call.workspace_id, "work_item_id": work_item_id}
    rows = [{**keys, column: one, "position": position} for position, one in enumerate(dict.fromkeys(ids))]
    await call.writer.insert_all(table, rows)


async def replace_labels(call: Call, work_item_id: str, label_ids: list[str]) -> None:
    await call.writer.delete(work_item_labels, workspace_id=call.workspace_id, work_item_id=work_item_id)
    await link_labels(call, work_item_id, label_ids)


async def _load_assignees(call: Call, rows: Sequence[Row]) -> Mapping[str, list[str]]:
    return await _load(_ASSIGNEES, call, rows)


async def _load_labels(call: Call, rows: Sequence[Row]) -> Mapping[str, list[str]]:
    return await _load(_LABELS, call, rows)


async def _load(statement: Statement, call: Call, rows: Sequence[Row]) -> Mapping[str, list[str]]:
    linked: dict[str, list[str]] = {}
    ids = [row["id"] for row in rows]
    for link in await call.reader.fetch_all(statement, workspace_id=call.workspace_id, ids=ids):
        linked.setdefault(link["work_item_id"], []).append(link["linked"])
    return linked


_PERSON = ("first_name", "last_name", "display_name")
ASSIGNEES = Link(work_item_assignees, "work_item_id", "user_id")
# The rows of deleted labels stay in work_item_labels.
_LIVE_LABEL = (
    labels.c.workspace_id == work_item_labels.c.workspace_id,
    labels.c.id == work_item_labels.c.label_id,
    live(labels),
)

# The fields of a work item that aren't columns. Lists of several have the first of each in the order they ask for.
COMPUTED: Mapping[str, Computed] = {
    "assignees": Computed(
        load=_load_assignees,
        empty=[],
        is_list=True,
        event_name="assignee_ids",
        filter=Many(
            link=ASSIGNEES, sentence="Only those assigned to one of these people, separated by commas."
        ),
        orders={f"assignees__{name}": first_assignee(users.c[name]) for name in _PERSON},
        query="assignee",
    ),
    "labels": Computed(
        load=_load_labels,
        empty=[],
        is_list=True,
        event_name="label_ids",
        filter=Many(
            link=Link(work_item_labels, "work_item_id", "label_id", _LIVE_LABEL),
            sentence="Only those with one of these labels, separated by commas.",
        ),
        orders={"labels__name": first_label(labels.c.name)},
        query="label",
    ),
    "type": Computed(of=lambda row: row["type_id"]),
}
