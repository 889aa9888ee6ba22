"""A work item's history as one thread: comments with their replies, and the changes between them.

Another package adds entries by a source in SOURCES: it is called once for the whole page, and returns for each
entry its time, its template, and the comment that it belongs below, if any.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from airside.assets.files import name_of as file_name_of
from airside.db.base import Row
from airside.portal.work import operations
from airside.portal.work.acting import Work
from airside.portal.work.people import NOBODY, Person, find_people
from airside.portal.work.writing import find_mentioned, show_html
from airside.rest.record import ADMIN
from airside.rich_text.html import off_loop, weigh

STEP = 50  # comments that a page shows at first, and adds with each step
LATEST = 200  # comments, and changes, that a page shows at most
MAX_STEPS = 10_000  # back from the newest
COMMENT, CHANGE = "work/_comment.html", "work/_change.html"


@dataclass
class Entry:
    """One entry of the thread. `template` is included with `entry` set to this."""

    at: datetime
    template: str
    shown: dict[str, Any]
    below: str = ""  # id of the comment that it is shown below
    entries: list["Entry"] = field(default_factory=list["Entry"])


class Item(NamedTuple):
    """The work item that a thread belongs to, as the API shows it, and the caller's role in its project."""

    path: dict[str, str]  # as the operations below it take it
    row: Row
    role: int
    href: str


Source = Callable[[Work, Item], Awaitable[Sequence[Entry]]]


class Thread(NamedTuple):
    """A part of a thread, oldest first."""

    entries: list[Entry]
    href: str  # of the page with this part
    first: str  # the id of its oldest comment
    earlier: str  # of the page with what came before; "" at the beginning
    is_newest: bool


def read_steps(text: str | None) -> int:
    """How many steps back the page was requested; 0 for an invalid number."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 6):
        return 0
    return min(int(text), MAX_STEPS)


async def list_thread(work: Work, item: Item, sources: Sequence[Source], steps: int = 0) -> Thread:
    """The newest part of the thread; each step back adds STEP comments, and beyond LATEST shows an earlier part."""
    size = min(STEP * (steps + 1), LATEST)
    number = max(0, steps + 1 - LATEST // STEP)
    comments, is_cut = await _list_page(work, operations.LIST_COMMENTS, item, size, number)
    changes, _ = await _list_page(work, operations.LIST_ACTIVITIES, item, LATEST)
    mentioned = await find_mentioned(*(comment["comment_html"] for comment in comments))
    people = await find_people(work.site.db, mentioned | _participants(comments, changes))
    written = await _show_written(comments, people)
    entries = [_show_change(change, people) for change in changes]
    for source in sources:
        entries += await source(work, item)
    begin = comments[0]["created_at"] if is_cut and comments else None
    entries = _between(
        entries, begin, await _find_end(work, item, size * number), {one["id"] for one in comments}
    )
    entries += [_show_comment(work, item, comment, people, written) for comment in comments]
    return Thread(
        _arrange(entries),
        _part_href(item, steps),
        comments[0]["id"] if comments else "",
        _part_href(item, steps + 1) if is_cut and steps < MAX_STEPS else "",
        number == 0,
    )


def _part_href(item: Item, steps: int) -> str:
    return f"{item.href}?earlier={steps}" if steps else item.href


def _between(
    entries: list[Entry], begin: datetime | None, end: datetime | None, below: set[str]
) -> list[Entry]:
    """Entries without their context are left out: those before the oldest comment shown, or after the newest."""
    return [
        entry
        for entry in entries
        if entry.below in below or ((begin is None or entry.at >= begin) and (end is None or entry.at < end))
    ]


async def _find_end(work: Work, item: Item, passed: int) -> datetime | None:
    """When the oldest comment that is newer than this part was created: None for the newest part, the beginning of
    time past the first comment."""
    if not passed:
        return None
    newer, _ = await _list_page(work, operations.LIST_COMMENTS, item, 1, passed - 1)
    return newer[0]["created_at"] if newer else _BEFORE_ALL


def _arrange(entries: list[Entry]) -> list[Entry]:
    """Replies below their comment, simultaneous changes as one entry, all in chronological order."""
    entries.sort(key=lambda entry: entry.at)
    comments = {entry.shown["id"]: entry for entry in entries if entry.template == COMMENT}
    roots: list[Entry] = []
    for entry in entries:
        above = comments.get(entry.below)
        while above is not None and above.below in comments:  # a reply to a reply is shown at the same level
            above = comments[above.below]
        if above is None or above is entry:
            roots.append(entry)
        else:
            above.entries.append(entry)
    return roots


async def _list_page(
    work: Work, route: Any, item: Item, size: int, number: int = 0
) -> tuple[list[Row], bool]:
    """The page `number` pages before the newest, in chronological order; and whether there are older records."""
    query = {"per_page": size, "cursor": f"{size}:{number}:0", "order_by": "-created_at"}
    page = await work.perform(route, item.path, query=query)
    return page["results"][::-1], page["next_page_results"]


def _participants(comments: list[Row], changes: list[Row]) -> set[str | None]:
    found: set[str | None] = {row["actor"] for row in (*comments, *changes)}
    for change in changes:
        if change["field"] == "assignees":
            found |= {change["old_identifier"], change["new_identifier"]}
    return found


async def _show_written(comments: list[Row], people: dict[str, Person]) -> dict[str, str]:
    """Comment id → its HTML as a page shows it."""

    def work() -> dict[str, str]:
        return {comment["id"]: show_html(comment["comment_html"], people) for comment in comments}

    return await off_loop(sum(weigh(comment["comment_html"]) for comment in comments), work)


def _show_comment(
    work: Work, item: Item, comment: Row, people: dict[str, Person], written: dict[str, str]
) -> Entry:
    is_own = comment["actor"] == work.visit.user_id
    shown = {
        "id": comment["id"],
        "author": people.get(comment["actor"], NOBODY),
        "html": written[comment["id"]],
        "at": comment["created_at"],
        "edited_at": comment["edited_at"],
        "can_change": is_own or item.role >= ADMIN,
        "href": f"{item.href}comments/{comment['id']}/",
    }
    return Entry(comment["created_at"], COMMENT, shown, comment["parent"] or "")


def _name_value(change: Row, which: str, people: dict[str, Person]) -> str:
    """The value's name; people and bots by their present name."""
    if change["field"] == "attachment":
        return file_name_of(change[f"{which}_value"] or "")
    person = people.get(change[f"{which}_identifier"]) if change["field"] == "assignees" else None
    return person.name if person else change[f"{which}_value"] or ""


def _show_change(change: Row, people: dict[str, Person]) -> Entry:
    shown = {
        "actor": people.get(change["actor"], NOBODY),
        "at": change["created_at"],
        "verb": change["verb"],
        "field": change["field"],
        "old": _name_value(change, "old", people),
        "new": _name_value(change, "new", people),
        "is_relation": change["comment"].endswith(" relation"),
        "words": FIELDS.get(change["field"], (change["field"] or "").replace("_", " ")),
    }
    return Entry(change["created_at"], CHANGE, shown)


_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
FIELDS = {
    "name": "title",
    "start_date": "start date",
    "target_date": "due date",
    "archived_at": "archive",
}
