"""Whether a new dependency would close a circle, such as A blocks B blocks A.

A dependency orders starts and finishes: blocking puts the finish of one work item before the start of the other,
start_before their starts, finish_before their finishes. A circle is a way from the later end of the new one back to
its earlier end; on the way a work item's own start comes before its finish.
"""

from collections.abc import Sequence
from functools import cache

import sqlalchemy as sa

from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import Invalid
from airside.rest.call import Call
from airside.work.work_items.relation_kinds import BLOCKING, FINISH_BEFORE, START_BEFORE, relations
from airside.work.work_items.tables import work_items

MAX_REACHED = 10_000  # ends of work items that follow; with more of them, a dependency is refused

CIRCLE = "This would make a circle of dependencies."
TOO_MANY = "Too many work items depend on this one."


async def check_circle(
    call: Call, field: str, relation_type: str, sources: Sequence[str], targets: Sequence[str]
) -> None:
    """Raises Invalid if one of the sources already follows from one of the targets, which would come after it.

    Either side is one work item, so a circle needs only one of the new dependencies. The workspace is locked."""
    found = await call.reader.fetch_one(
        _statement(relation_type),
        workspace_id=call.workspace_id,
        starts=list(targets),
        sources=list(sources),
        bound=MAX_REACHED + 1,
    )
    if found is not None and found["circles"]:
        raise Invalid({field: [CIRCLE]})
    if found is not None and found["total"] > MAX_REACHED:
        raise Invalid({field: [TOO_MANY]})


@cache
def _statement(relation_type: str) -> Statement:
    """How many ends follow from the targets, and how many of them are the sources'."""
    reached = _reach(at_finish=relation_type == FINISH_BEFORE)
    first = sa.select(reached).limit(sa.bindparam("bound", type_=sa.Integer())).subquery("bounded")
    back = any_of(first.c.item_id, "sources")
    if relation_type == START_BEFORE:  # a way to the source's finish alone contradicts nothing
        back = sa.and_(back, first.c.at_finish == 0)
    return Statement(
        sa.select(
            sa.func.count().label("total"),
            sa.func.coalesce(sa.func.sum(sa.case((back, 1), else_=0)), 0).label("circles"),
        ).select_from(first)
    )


def _reach(*, at_finish: bool) -> sa.CTE:
    """The ends that come after the start, or the finish, of the work items `starts`. UNION ends on circles, too.

    It carries the workspace along, or SQLite would read all relations of the workspace in each step."""
    edge = relations.c
    start = sa.select(
        work_items.c.workspace_id,
        work_items.c.id.label("item_id"),
        sa.literal_column("1" if at_finish else "0", sa.Integer).label("at_finish"),
    ).where(tenant(work_items), any_of(work_items.c.id, "starts"))
    reached = start.cte("reached", recursive=True)
    follows = sa.or_(
        edge.relation_type.in_(_names(BLOCKING, FINISH_BEFORE)),
        sa.and_(edge.relation_type == _name(START_BEFORE), reached.c.at_finish == 0),
    )
    step = (
        sa.select(
            edge.workspace_id,
            edge.related_issue_id,
            sa.case((edge.relation_type == _name(FINISH_BEFORE), 1), else_=0),
        )
        .select_from(reached)
        .join(
            relations,
            sa.and_(
                edge.workspace_id == reached.c.workspace_id,
                edge.issue_id == reached.c.item_id,
                live(relations),
                follows,
            ),
        )
        .join(
            work_items,
            sa.and_(
                work_items.c.workspace_id == edge.workspace_id,
                work_items.c.id == edge.related_issue_id,
                live(work_items),
            ),
        )
    )
    return reached.union(step)


def _name(name: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{name}'", sa.Text)


def _names(*names: str) -> list[sa.ColumnElement[str]]:
    return [_name(name) for name in names]
