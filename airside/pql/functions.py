"""The functions of a query: names, arguments, and the day that a date function returns."""

import calendar
from datetime import date, timedelta
from typing import Literal

from airside.pql.expression import Function, QueryError
from airside.pql.fields import CLOSED_GROUPS, OPEN_GROUPS

MAX_AMOUNT = 100_000  # argument of daysAgo(n) and similar

FIRST_DAY, LAST_DAY = date(1000, 1, 1), date(9998, 12, 31)  # the next day is still a valid date

DATE_FUNCTIONS = frozenset({
    "today", "now", "startOfDay", "endOfDay", "startOfWeek", "endOfWeek", "startOfMonth", "endOfMonth",
    "startOfYear", "endOfYear",
})  # fmt: skip
SHIFTS = {
    "daysAgo": (-1, 0),
    "daysFromNow": (1, 0),
    "weeksAgo": (-7, 0),
    "weeksFromNow": (7, 0),
    "monthsAgo": (0, -1),
    "monthsFromNow": (0, 1),
}  # (days, months) for each unit of the argument
PERSON_FUNCTIONS = frozenset({"currentUser", "workspaceMembers", "inactiveUsers", "membersOf"})
CYCLE_FUNCTIONS = frozenset({"activeCycle", "completedCycles", "upcomingCycles"})
GROUP_FUNCTIONS = {
    "openStates": OPEN_GROUPS,
    "closedStates": CLOSED_GROUPS,
    "activeStates": ("unstarted", "started"),
}
PREDICATES = frozenset({
    "isOverdue", "hasNoAssignee", "hasNoLabel", "isTopLevel", "isSubWorkItem", "hasChildren",
    "hasStartAndDueDates", "isDraft", "isArchived", "isEpic", "isIntake", "hasRelations", "hasRemoteLinks",
    "hasWorklogs",
})  # fmt: skip
RELATIONS = frozenset({
    "childOf", "parentOf", "linkedTo", "blockedBy", "blocks", "duplicateOf", "linkedToAny",
})  # fmt: skip  # predicates that take work items
# Predicates that take other values, by the kind of each.
TAKING: dict[str, tuple[Literal["count", "day", "text", "person"], ...]] = {
    "hasComments": ("count",),
    "hasLinks": ("count",),
    "hasAttachments": ("count",),
    "commentedAfter": ("day",),
    "commentedBefore": ("day",),
    "workLoggedBetween": ("day", "day"),
    "commentContains": ("text",),
    "linkContains": ("text",),
    "hasLinkUrl": ("text",),
    "commentedBy": ("person",),
    "lastCommentBy": ("person",),
    "attachedBy": ("person",),
    "workLoggedBy": ("person",),
    "stateChangedBy": ("person",),
    "resolvedBy": ("person",),
}
# Plane has these, and Airside not yet.
ABSENT = frozenset({
    "linkedToAll", "linkedToAnyRecursive", "linkedToAllRecursive", "workItemPicker", "aggregate",
    "recentlyViewed", "votedBy", "inNextRelease", "releaseMatch", "moduleMatch", "earliestUnreleasedRelease",
    "userPropertyEquals",
})  # fmt: skip

_BY_SPELLING = {
    name.lower(): name
    for names in (
        DATE_FUNCTIONS,
        SHIFTS,
        PERSON_FUNCTIONS,
        CYCLE_FUNCTIONS,
        GROUP_FUNCTIONS,
        PREDICATES,
        RELATIONS,
        TAKING,
        ABSENT,
    )
    for name in names
}


def get_function(name: str) -> str:
    """The name as this file spells it. Raises QueryError for an unknown function, or one not supported yet."""
    found = _BY_SPELLING.get(name.replace("_", "").lower())
    if found is None:
        raise QueryError(f"There is no function {name}().")
    if found in ABSENT:
        raise QueryError(f"{found}() is not available in this workspace yet.")
    return found


def resolve_day(function: Function, today: date) -> date:
    """The day that a date function returns. Raises QueryError outside of FIRST_DAY to LAST_DAY."""
    name = function.name
    if name in SHIFTS:
        return _shift(today, int(function.argument or 0), *SHIFTS[name])
    first, last = _period(name, today)
    return last if name.startswith("end") else first


def _period(name: str, today: date) -> tuple[date, date]:
    if name.endswith("Week"):  # ISO 8601: a week begins on Monday
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=6)
    if name.endswith("Month"):
        return today.replace(day=1), _month_end(today.year, today.month)
    if name.endswith("Year"):
        return today.replace(month=1, day=1), today.replace(month=12, day=31)
    return today, today


def _shift(today: date, amount: int, days: int, months: int) -> date:
    try:
        if not months:
            found = today + timedelta(days=days * amount)
        else:
            year, month = divmod(today.year * 12 + today.month - 1 + months * amount, 12)
            last = _month_end(year, month + 1)
            found = last.replace(day=min(today.day, last.day))
    except (ValueError, OverflowError):
        found = None
    if found is None or not FIRST_DAY <= found <= LAST_DAY:
        raise QueryError(f"{amount} goes past the calendar.")
    return found


def _month_end(year: int, month: int) -> date:
    if not FIRST_DAY.year <= year <= LAST_DAY.year:
        raise ValueError
    return date(year, month, calendar.monthrange(year, month)[1])
