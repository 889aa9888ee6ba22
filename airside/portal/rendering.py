"""Rendering templates: the Jinja environment, and the headers of every page."""

import asyncio
import gzip
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import jinja2
from falcon.asgi import Request, Response

from airside.portal.cookies import full_name, read_cookie
from airside.portal.static import static_path
from airside.runtime.site import Site
from airside.settings import page_url

MIN_GZIP_SIZE = 2_000  # bytes
GZIP_LEVEL = 4  # compresses a list of 100 kB to 10 kB in less than a millisecond
# Pages load only from this origin, submit forms only to it, can't be framed, and aren't cached.
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
THEMES = ("", "light", "dark")
THEME_COOKIE = "airside_theme"

_loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
_texts = jinja2.Environment(
    loader=_loader,
    autoescape=False,  # noqa: S701 - plain text, which the page escapes
    undefined=jinja2.StrictUndefined,
    auto_reload=False,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


def with_article(word: str) -> str:
    """admin → an admin"""
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}"


@cache
def _templates(pages_prefix: str, upstream_pages: str) -> jinja2.Environment:
    """One for each site's addresses: macros see the environment's globals, but not what a page is given."""
    environment = jinja2.Environment(
        loader=_loader, autoescape=True, undefined=jinja2.StrictUndefined, auto_reload=False
    )

    def static(name: str) -> str:
        return page_url(pages_prefix, static_path(name))

    made: dict[str, Any] = {
        "plane_url": upstream_pages,  # of the Community Edition; "" without one
        "page_url": partial(page_url, pages_prefix),
        "static": static,
        "with_article": with_article,
    }
    environment.globals.update(made)
    return environment


def show_page(site: Site, req: Request, resp: Response, template: str, /, **context: Any) -> None:
    """Respond with a page, which is rendered after the handler returns (`Rendering`)."""
    resp.content_type = "text/html; charset=utf-8"
    resp.set_headers(PAGE_HEADERS)
    resp.set_header("Vary", "Accept-Encoding")
    may_zip = "gzip" in (req.get_header("Accept-Encoding") or "")
    found = _templates(site.settings.pages_prefix, site.settings.upstream_pages).get_template(template)
    render = partial(_render, found, {"theme": chosen_theme(site, req), **context}, may_zip)
    if getattr(resp.context, "is_rendering", False):  # rendering failed: the error page is short
        _set_body(resp, render())
    else:
        resp.context.page = render


class Rendering:
    """Middleware that renders pages in a thread: a list of hundreds would block the event loop for 50 ms."""

    async def process_response(
        self, req: Request, resp: Response, resource: Any, req_succeeded: bool
    ) -> None:
        render = getattr(resp.context, "page", None)
        if render is not None:
            resp.context.is_rendering = True
            _set_body(resp, await asyncio.get_running_loop().run_in_executor(_threads, render))


_threads = ThreadPoolExecutor(2, thread_name_prefix="page")


def _render(template: jinja2.Template, context: dict[str, Any], may_zip: bool) -> tuple[bytes, bool]:
    """The page, and whether it is compressed."""
    page = template.render(**context).encode()
    if may_zip and len(page) > MIN_GZIP_SIZE:
        return gzip.compress(page, GZIP_LEVEL, mtime=0), True
    return page, False


def _set_body(resp: Response, rendered: tuple[bytes, bool]) -> None:
    resp.data, is_zipped = rendered
    if is_zipped:
        resp.set_header("Content-Encoding", "gzip")


def render_text(template: str, **context: Any) -> str:
    """Render a template that isn't HTML: nothing is escaped, so values must be quoted already."""
    return _texts.get_template(template).render(**context)


def omit_referrer(resp: Response) -> None:
    """For sign-in and consent: links from there send no Referer (RFC 9700 §4.2.4)."""
    resp.set_header("Referrer-Policy", "no-referrer")


def chosen_theme(site: Site, req: Request) -> str:
    theme = read_cookie(req, full_name(site, THEME_COOKIE))
    return theme if theme in THEMES[1:] else ""


def redirect(site: Site, resp: Response, path: str) -> None:
    """303 to a page: the browser follows with GET, whatever the method was."""
    forward(resp, site.settings.page_url(path))


def lead_on(site: Site, req: Request, resp: Response, path: str) -> None:
    """As `redirect`; a request of htmx, which would load the page into a part of another, moves its whole page."""
    redirect(site, resp, path)
    if req.get_header("HX-Request") is not None:
        resp.status = 204
        resp.set_header("HX-Redirect", site.settings.page_url(path))
        resp.delete_header("Location")


def forward(resp: Response, location: str) -> None:
    """303 to a URL."""
    resp.context.page = None
    resp.status = 303
    resp.set_headers({"Location": location, "Cache-Control": "no-store"})
