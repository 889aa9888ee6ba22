"""Pagination: the requested page, and the links to the previous and next one."""

from typing import NamedTuple

from falcon.asgi import Request

from airside.db.base import Row

LAST_PAGE = 10_000


class Pagination(NamedTuple):
    """A page of a list; `number` counts from 1."""

    here: str
    number: int
    size: int
    has_more: bool = False
    shown: int = 0

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    def links(self) -> dict[str, str | None]:
        """As the macro `pagination` takes them."""
        to = f"{self.here}{'&' if '?' in self.here else '?'}page="
        return {
            "prev_href": f"{to}{self.number - 1}" if self.number > 1 else None,
            "next_href": f"{to}{self.number + 1}" if self.has_more else None,
            "words": f"{self.offset + 1} to {self.offset + self.shown}"
            if self.shown
            else "Nothing on this page",
        }


def read_page(req: Request, here: str, size: int) -> Pagination:
    """The page named by `?page=`; the first page when that is invalid."""
    text = req.get_param("page") or ""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 1
    return Pagination(here, min(max(number, 1), LAST_PAGE), size)


def cut_page(page: Pagination, rows: list[Row]) -> tuple[Pagination, list[Row]]:
    """`rows` has one more than the page size when there is a next page."""
    shown = rows[: page.size]
    return page._replace(has_more=len(rows) > page.size, shown=len(shown)), shown
