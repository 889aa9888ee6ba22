"""Epics: work items of a type that is marked as one, with the progress of everything below them.

They are work items in every other respect: the lists, queries and paths of work items have them, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.rest.body import Body, Html, Key, Name, Uuid
from airside.rest.call import Call
from airside.rest.computed import Computed
from airside.rest.record import Narrowing
from airside.rich_text.html import EMPTY
from airside.work.planning.epic_types import ensure_epic_type, list_epic_types
from airside.work.planning.progress import GROUPS, count_groups, load_progress
from airside.work.types.item_types import hold_type
from airside.work.work_items.tables import listed, work_items
from airside.work.work_items.work_items import WORK_ITEMS_V1, Priority, WorkItemOut, WorkItems

_TYPES = "epic_types"  # the statement's parameter


class EpicIn(Body):
    example = {"name": "Launch the rocket", "priority": "high"}

    name: Name
    description_html: Html = EMPTY
    state_id: Uuid | None = None
    parent_id: Uuid | None = None
    assignee_ids: list[Uuid] | None = None
    label_ids: list[Uuid] | None = None
    priority: Priority = "none"
    start_date: date | None = None
    target_date: date | None = None
    estimate_point: Uuid | None = None
    external_source: Key | None = None
    external_id: Key | None = None


class EpicOut(WorkItemOut, kw_only=True):
    total_issues: int
    backlog_issues: int
    unstarted_issues: int
    started_issues: int
    completed_issues: int
    cancelled_issues: int
    total_estimates: int | None
    progress_percentage: int


def _count_below() -> Statement:
    """Of each epic the work items below it at whatever depth, by group of states. UNION terminates on a cycle."""
    below = (
        sa.select(work_items.c.parent_id.label("epic_id"), work_items.c.id)
        .where(tenant(work_items), any_of(work_items.c.parent_id, "ids"), live(work_items))
        .cte("below", recursive=True)
    )
    child = work_items.alias("child")
    deeper = sa.select(below.c.epic_id, child.c.id).where(
        child.c.parent_id == below.c.id, tenant(child), live(child)
    )
    below = below.union(deeper)
    held = below.join(work_items, sa.and_(work_items.c.id == below.c.id, listed))
    return count_groups(below.c.epic_id, held, tenant(work_items))


_BELOW = _count_below()


async def _load_progress(call: Call, rows: Sequence[Row]) -> Mapping[str, Row]:
    return await load_progress(call, _BELOW, rows)


class Epics(WorkItems):
    noun = "Epic"
    about = "Work items that are larger than others, with the progress of those below them."
    feature = "epics"
    defaults = {
        **WorkItems.defaults,
        "description_binary": None,
        "is_draft": False,
        "point": None,
        "sort_order": None,
    }
    computed = {
        **WorkItems.computed,
        **{
            name: Computed(load=_load_progress, part=name, empty=0)
            for name in ("total_issues", *(f"{group}_issues" for group in GROUPS), "progress_percentage")
        },
        "total_estimates": Computed(load=_load_progress, part="total_estimates"),
    }

    async def narrow(self, call: Call, /) -> Narrowing:
        types = await list_epic_types(call, call.project_id)
        of_type = Narrowing((_is_of_type(len(types)),), {_TYPES: types[0] if len(types) == 1 else types})
        return of_type.also(await super().narrow(call))

    async def before_create(self, call: Call, row: Row, /) -> None:
        row["type_id"] = None
        await super().before_create(call, row)
        row["type_id"] = await ensure_epic_type(call, row["project_id"])
        await hold_type(call, row["type_id"])


@cache
def _is_of_type(number: int) -> sa.ColumnElement[bool]:
    """One type by equality, so that an index also orders the list."""
    if number == 1:
        return work_items.c.type_id == sa.bindparam(_TYPES, type_=Id())
    return any_of(work_items.c.type_id, _TYPES)


EPICS = Epics()
EPICS_V1 = replace(
    WORK_ITEMS_V1,
    record=EPICS,
    path="projects/{project_id}/epics",
    aliases=(),
    key="epic_id",
    body=EpicIn,
    shown=EpicOut,
    scope="projects.epics",
    names={"assignee_ids": "assignees", "label_ids": "labels"},
    webhooks=WORK_ITEMS_V1,
    summaries={
        "list": "List the epics of a project",
        "create": "Create an epic",
        "retrieve": "Retrieve an epic",
        "update": "Update an epic",
        "delete": "Delete an epic",
    },
)
