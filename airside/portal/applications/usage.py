"""An app's usage: requests, errors and deliveries over a day, a week or a month."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from falcon.asgi import Request, Response

from airside.developer.usage import Hour, list_usage
from airside.portal.applications.pages import AppPage, tab_path


class Span(NamedTuple):
    """A period, and the width of its bars."""

    key: str
    words: str
    bar: timedelta
    bars: int


SPANS = (
    Span("24h", "24 hours", timedelta(hours=1), 24),
    Span("7d", "7 days", timedelta(hours=6), 28),
    Span("30d", "30 days", timedelta(days=1), 30),
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AppUsage(AppPage):
    """GET /<workspace>/settings/applications/<id>/usage/?span=24h|7d|30d"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        asked = req.get_param("span") or ""
        span = next((one for one in SPANS if one.key == asked), SPANS[0])
        starts = list_starts(span, self.site.clock.now())
        bars = sum_bars(await list_usage(self.site.db, app["id"], starts[0]), starts)
        here = tab_path(visit, app, "usage")
        self.show_tab(
            visit,
            app,
            "usage",
            "applications/usage.html",
            spans=[(one.words, f"{here}?span={one.key}", one is span) for one in SPANS],
            is_fine=span.bar < timedelta(days=1),
            bars=bars,
            charts=show_charts(bars),
        )


def list_starts(span: Span, now: datetime) -> list[datetime]:
    """The start of each bar; the last contains `now`. Starts are aligned to the epoch, so that reloads don't shift
    them."""
    last = EPOCH + (now - EPOCH) // span.bar * span.bar
    return [last - span.bar * back for back in reversed(range(span.bars))]


def sum_bars(hours: Sequence[Hour], starts: Sequence[datetime]) -> list[Hour]:
    bars = {start: Hour(start) for start in starts}
    width = starts[1] - starts[0]
    for hour in hours:
        start = starts[0] + (hour.at - starts[0]) // width * width
        if start in bars:
            bar = bars[start]
            bars[start] = Hour(start, *(one + other for one, other in zip(bar[1:], hour[1:], strict=True)))
    return list(bars.values())


def show_charts(bars: Sequence[Hour]) -> list[dict[str, Any]]:
    """As the macro `bar_chart` takes them: each bar has a good and a bad part."""
    requests, errors, delivered, undelivered = (sum(column) for column in list(zip(*bars, strict=True))[1:])
    deliveries = delivered + undelivered
    return [
        {
            "id": "requests",
            "title": "Requests",
            "total": requests,
            "about": "to the API",
            "bars": [(bar.at, bar.requests, 0) for bar in bars],
        },
        {
            "id": "errors",
            "title": "Errors",
            "total": errors,
            "about": f"{spell_share(errors, requests)} of the requests",
            "bars": [(bar.at, 0, bar.errors) for bar in bars],
        },
        {
            "id": "deliveries",
            "title": "Deliveries",
            "total": deliveries,
            "about": f"{spell_share(delivered, deliveries)} delivered" if deliveries else "nothing was sent",
            "bars": [(bar.at, bar.delivered, bar.undelivered) for bar in bars],
        },
    ]


def spell_share(part: int, whole: int) -> str:
    share = 100 * part / whole if whole else 0.0
    return f"{share:.1f} %" if share >= 0.1 or not part else "under 0.1 %"
