"""Lists in pages, as both APIs answer them."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.support.upstream.store import Row
from tests.support.upstream.wire import Call, Refusal, broken

MOST = 1000


def page_of(call: Call, rows: Sequence[Row], show: Callable[[Row], Row], size: int = MOST) -> Row:
    """The envelope with the page that `cursor` and `per_page` name."""
    per_page = _per_page(call, size)
    offset = _offset(call)
    if per_page <= 0:
        raise broken()
    if offset < 0:
        raise Refusal(400, {"detail": "Error in parsing"})
    shown = [_only(call, show(row)) for row in rows[offset * per_page : (offset + 1) * per_page]]
    return {
        "grouped_by": None,
        "sub_grouped_by": None,
        "total_count": len(rows),
        "next_cursor": f"{per_page}:{offset + 1}:0",
        "prev_cursor": f"{per_page}:{offset - 1}:1",
        "next_page_results": len(rows) > (offset + 1) * per_page,
        "prev_page_results": offset > 0,
        "count": len(shown),
        "total_pages": -(-len(rows) // per_page),
        "total_results": len(rows),
        "extra_stats": None,
        "results": shown,
    }


def _per_page(call: Call, size: int) -> int:
    try:
        per_page = int(call.query.get("per_page", size))
    except ValueError:
        raise Refusal(400, {"detail": "Invalid per_page parameter."}) from None
    if per_page > max(MOST, size):
        raise Refusal(400, {"detail": f"Invalid per_page value. Cannot exceed {MOST}."})
    return per_page


def _offset(call: Call) -> int:
    parts = call.query.get("cursor", "0:0:0").split(":")
    try:
        _, offset, _ = (int(part) for part in parts)
    except ValueError:
        raise Refusal(400, {"detail": "Invalid cursor parameter."}) from None
    return offset


def _only(call: Call, shown: Row) -> Row:
    names = [name for name in call.query.get("fields", "").split(",") if name]
    return {name: value for name, value in shown.items() if name in names} if names else shown


def one(call: Call, shown: Row) -> Row:
    """One object, narrowed to `fields`."""
    return _only(call, shown)


def expanded(call: Call, shown: Row, how: dict[str, Callable[[Any], Any]]) -> Row:
    """With objects in place of ids, for the names in `expand` that can be expanded."""
    wanted = call.query.get("expand", "").split(",")
    return shown | {name: how[name](shown[name]) for name in wanted if name in how and name in shown}
