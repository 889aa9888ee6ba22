"""Fields of a record that aren't columns of its table: linked ids, counts, values in JSON, roll-ups.

One declaration shows such a field, filters and orders lists by it, and makes it part of queries (PQL) and events,
as a column is. `Record.computed` has them by their key in a row; a face shows them by that name or by its `names`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from airside.db.base import Row
from airside.rest.call import Call
from airside.rest.parameters import Parameter

# Values of all rows at once, by the row's id, with a constant number of statements.
Load = Callable[[Call, Sequence[Row]], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Computed:
    """One field. Its value is `of` the row, or what `load` finds, or else `empty`."""

    of: Callable[[Row], Any] | None = None
    load: Load | None = None  # fields with the same function share its one run
    part: str | None = None  # the key of this field's value, where `load` finds several
    empty: Any = None
    event_name: str = ""  # its name in webhooks v2; "": it isn't there
    is_list: bool = False  # a list of ids, each added or removed of which is a change
    sql: sa.ColumnElement[Any] | None = None  # its value in a statement: lists are ordered by it
    filter: Parameter | None = None  # filters lists: by `sql`, or by its own `link`
    orders: Mapping[str, sa.ColumnElement[Any]] = field(default_factory=dict[str, Any])  # further ones
    query: str = ""  # the field of queries that it is


async def compute(computed: Mapping[str, Computed], call: Call, rows: Sequence[Row]) -> None:
    """Add the fields to all rows."""
    if not computed or not rows:
        return
    loads = dict.fromkeys(one.load for one in computed.values() if one.load is not None)
    loaded = {load: await load(call, rows) for load in loads}
    for row in rows:
        for name, one in computed.items():
            row[name] = _value_of(one, row, loaded)


def _value_of(one: Computed, row: Row, loaded: Mapping[Load, Mapping[str, Any]]) -> Any:
    if one.of is not None:
        return one.of(row)
    found = loaded[one.load].get(row["id"]) if one.load is not None else None
    if found is not None and one.part is not None:
        found = found[one.part]
    if found is None:
        return copy(one.empty)
    return found


def constants(**values: Any) -> dict[str, Computed]:
    """Fields with the same value in every record, such as those of features that aren't served."""
    return {name: Computed(empty=value) for name, value in values.items()}
