"""Progress of records that hold work items: how many, in which groups of states, and the sums of their estimates.

Cycles and modules hold them by a table of links; an epic does by their parent, so its link is an alias of the work
items themselves. Archived work items, drafts and those in triage don't count.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import tenant
from airside.db.statements import Statement, any_of
from airside.rest.call import Call
from airside.rest.computed import Computed, Load
from airside.rest.parameters import Condition, Link, Number
from airside.rest.totals import count_for_each
from airside.work.planning.estimated import NUMBER, with_numbers
from airside.work.projects.states import states
from airside.work.work_items.tables import listed, work_items

GROUPS = ("backlog", "unstarted", "started", "completed", "cancelled")
_ESTIMATED = ("completed", "started")  # the groups whose estimates have sums of their own
_COUNTED = states.c.group != "triage"


def count_fields(link: Link, record: sa.Table) -> dict[str, Computed]:
    """`total_issues`, and `<group>_issues` for each group of states. `link.value` is the record's id."""
    load = _load_counts(link)
    counted = {"total_issues": _COUNTED, **{f"{one}_issues": states.c.group == one for one in GROUPS}}
    return {
        name: Computed(
            load=load, part=name, empty=0, sql=_count_in_statement(link, record, condition), filter=Number()
        )
        for name, condition in counted.items()
    }


def estimate_fields(link: Link) -> dict[str, Computed]:
    """`total_estimates`, `completed_estimates`, `started_estimates`; null where no work item has an estimate."""
    load = _load_counts(link)
    names = ("total_estimates", *(f"{group}_estimates" for group in _ESTIMATED))
    return {name: Computed(load=load, part=name) for name in names}


def percentage_fields(link: Link) -> dict[str, Computed]:
    """`progress_percentage`: how many in a hundred are completed or cancelled."""
    return {"progress_percentage": Computed(load=_load_counts(link), part="progress_percentage", empty=0)}


_loads: dict[Link, Load] = {}


def _load_counts(link: Link) -> Load:
    """One function for all fields of a link, so that a page runs it once."""
    found = _loads.get(link)
    if found is None:
        statement = _statement(link)

        async def load(call: Call, rows: Sequence[Row]) -> Mapping[str, Row]:
            return await load_progress(call, statement, rows)

        found = _loads[link] = load
    return found


async def load_progress(call: Call, statement: Statement, rows: Sequence[Row]) -> Mapping[str, Row]:
    """The counts and sums of each record, which the statement finds by group of states."""

    async def count(ids: list[str]) -> Mapping[str, Row]:
        return _summarize(await call.reader.fetch_all(statement, workspace_id=call.workspace_id, ids=ids))

    return await count_for_each(call, statement, [row["id"] for row in rows], "total_issues", count)


def _summarize(groups: Sequence[Row]) -> Mapping[str, Row]:
    """Record → its counts and sums, of rows with `holder`, `group`, `items` and `points`."""
    found: dict[str, Row] = {}
    for row in groups:
        one = found.setdefault(row["holder"], _nothing())
        one["total_issues"] += row["items"]
        one[f"{row['group']}_issues"] += row["items"]
        for name in ("total", row["group"]):
            if row["points"] is not None and f"{name}_estimates" in one:
                one[f"{name}_estimates"] = (one[f"{name}_estimates"] or 0) + round(row["points"])
    for one in found.values():
        ended = one["completed_issues"] + one["cancelled_issues"]
        one["progress_percentage"] = round(100 * ended / one["total_issues"])
    return found


def _nothing() -> Row:
    counts = dict.fromkeys(("total_issues", *(f"{group}_issues" for group in GROUPS)), 0)
    return {**counts, **dict.fromkeys(("total_estimates", *(f"{one}_estimates" for one in _ESTIMATED)))}


def count_groups(
    holder: sa.ColumnElement[Any], held: sa.FromClause, *conditions: sa.ColumnElement[bool]
) -> Statement:
    """The rows of `load_progress`: the work items that are `held`, by their holder and group of states."""
    return Statement(
        sa.select(
            holder.label("holder"),
            states.c.group.label("group"),
            sa.func.count().label("items"),
            sa.func.sum(NUMBER).label("points"),
        )
        .select_from(with_numbers(_with_states(held)))
        .where(*conditions, _COUNTED)
        .group_by(holder, states.c.group)
    )


def _held(link: Link) -> sa.FromClause:
    """The links with their work items."""
    columns = link.table.c
    return link.table.join(
        work_items,
        sa.and_(
            work_items.c.workspace_id == columns.workspace_id, work_items.c.id == columns[link.record], listed
        ),
    )


def _with_states(held: sa.FromClause) -> sa.FromClause:
    return held.join(
        states,
        sa.and_(states.c.workspace_id == work_items.c.workspace_id, states.c.id == work_items.c.state_id),
    )


def _statement(link: Link) -> Statement:
    holder = link.table.c[link.value]
    return count_groups(holder, _held(link), tenant(link.table), any_of(holder, "ids"), *link.conditions)


def _count_in_statement(link: Link, record: sa.Table, condition: Condition) -> sa.ColumnElement[Any]:
    """The count of one record, for lists that are ordered or filtered by it."""
    columns = link.table.c
    return (
        sa.select(sa.func.count())
        .select_from(_with_states(_held(link)))
        .where(
            columns.workspace_id == record.c.workspace_id,
            columns[link.value] == record.c.id,
            *link.conditions,
            condition,
        )
        .correlate(record)
        .scalar_subquery()
    )
