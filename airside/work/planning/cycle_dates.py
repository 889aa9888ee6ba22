"""When a cycle is: whole days in its time zone, which aren't another cycle's, and what that makes it now.

As in Plane a cycle begins a second after midnight, or now where that is today, and ends a minute before midnight.
One that is under way ends now where its end alone becomes today, which is how clients complete it.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from airside.db.base import Id, Instant, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Invalid, Refused
from airside.rest.body import WRONG_INSTANT
from airside.rest.call import Call
from airside.rest.parameters import Choice
from airside.rest.record import EVERYTHING, Narrowing
from airside.system.clock import read_instant
from airside.system.time_zones import is_time_zone
from airside.work.planning.tables import cycles
from airside.work.projects.tables import projects

_BEGIN, _END = time(0, 0, 1), time(23, 59)
_NOW = sa.bindparam("cycle_now", type_=Instant())
_start, _end = cycles.c.start_date, cycles.c.end_date

VIEWS: Mapping[str, tuple[sa.ColumnElement[bool], ...]] = {
    "current": (_start <= _NOW, _end >= _NOW),
    "upcoming": (_start > _NOW,),
    "completed": (_end < _NOW,),
    "draft": (_start.is_(None),),
    "incomplete": (sa.or_(_end >= _NOW, _end.is_(None)),),
}
STATUS = Choice(
    sentence="Only those that are this now; `incomplete` are the current, upcoming and draft ones.",
    choices=tuple(VIEWS),
)
_OVERLAPPING = Statement(
    sa.select(cycles.c.id)
    .where(
        tenant(cycles),
        cycles.c.project_id == sa.bindparam("project_id", type_=Id()),
        cycles.c.id != sa.bindparam("own_id", type_=Id()),
        _end >= sa.bindparam("start", type_=Instant()),
        _start <= sa.bindparam("end", type_=Instant()),
        live(cycles),
    )
    .order_by(_end)  # a new cycle follows the others, so that few end after it
    .limit(1)
)


def status_of(row: Row, now: datetime) -> str:
    """current, upcoming, completed or draft."""
    if row["start_date"] is None:
        return "draft"
    if is_completed(row, now):
        return "completed"
    return "upcoming" if row["start_date"] > now else "current"


def is_completed(row: Row, now: datetime) -> bool:
    return row["end_date"] is not None and row["end_date"] < now


def narrow_to_view(call: Call, view: str | None) -> Narrowing:
    """The cycles with this status, which may be `incomplete`."""
    return Narrowing(VIEWS[view], {"cycle_now": call.now}) if view else EVERYTHING


def check_timezone(name: str) -> None:
    if not is_time_zone(name):
        raise Invalid({"timezone": [f'"{name}" is not a valid choice.']})


async def set_dates(call: Call, changes: Row, row: Row) -> None:
    """Replace the texts of `start_date` and `end_date` in `changes` by their instants. `row` is what they change,
    with its id and time zone. Raises Invalid and Refused."""
    zone = ZoneInfo(changes.get("timezone") or row["timezone"])
    for name in ("start_date", "end_date"):
        if changes.get(name) is not None:
            is_completing = name == "end_date" and _completes(changes, row, zone, call.now)
            changes[name] = (
                call.now if is_completing else _read(name, changes[name], row.get(name), zone, call.now)
            )
    start, end = (changes.get(name, row.get(name)) for name in ("start_date", "end_date"))
    if (start is None) != (end is None):
        raise Refused("Both start date and end date are either required or are to be null")
    if start is None or end is None or (start, end) == (row.get("start_date"), row.get("end_date")):
        return
    if start.astimezone(zone).date() > end.astimezone(zone).date():
        raise Invalid.whole("Start date cannot exceed end date")
    await _check_overlap(call, row["id"], start, end)


def _completes(changes: Row, row: Row, zone: ZoneInfo, now: datetime) -> bool:
    start = row.get("start_date")
    is_under_way = "start_date" not in changes and start is not None and start <= now
    return is_under_way and changes["end_date"] == now.astimezone(zone).date().isoformat()


def _read(name: str, text: str, known: datetime | None, zone: ZoneInfo, now: datetime) -> datetime:
    """The instant of a day, or of the day of a time. The day that the cycle has already stays as it is."""
    instant = read_instant(text)
    if instant is None:
        raise Invalid({name: [WRONG_INSTANT]})
    if known is not None and (instant == known or instant.date() == known.astimezone(zone).date()):
        return known
    try:
        return _begin(instant.date(), zone, now) if name == "start_date" else _at(instant.date(), _END, zone)
    except OverflowError:
        raise Invalid({name: ["Datetime value out of range."]}) from None


def _begin(day: date, zone: ZoneInfo, now: datetime) -> datetime:
    return min(now, _at(day, _END, zone)) if day == now.astimezone(zone).date() else _at(day, _BEGIN, zone)


def _at(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


async def _check_overlap(call: Call, own_id: str, start: datetime, end: datetime) -> None:
    """Two cycles that are written at once wait for each other. Raises Refused."""
    if call.access.is_feature_on(call, "parallel_cycles"):
        return
    keys = {"workspace_id": call.workspace_id, "id": call.project_id}
    await call.writer.lock(projects, **keys)
    found = await call.reader.fetch_value(
        _OVERLAPPING,
        workspace_id=call.workspace_id,
        project_id=call.project_id,
        own_id=own_id,
        start=start,
        end=end,
    )
    if found is not None:
        raise Refused("The dates of this cycle overlap with those of another cycle")
