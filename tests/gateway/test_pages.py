"""Which pages are here in front of a Community Edition: all below the prefix, none that it has itself."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from airside.db.database import Database
from airside.portal.kept_upstream import KEPT
from airside.portal.routes import portal_routes
from airside.portal.work.routes import work_routes
from airside.settings import Settings
from tests.gateway.front import PREFIX, Front, open_front
from tests.portal.visitor import Shown

UNKNOWN = "019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5e"
LINK = re.compile(
    r'(?:href|src|action|hx-get|hx-post|content|data-[a-z-]+)="((?:\d+; url=)?(?:https?:)?/[^"]*)"'
)
# Pages that are here, and what a person with an own workspace sees there first.
HERE = {
    "/": "Workspaces",
    "/profile/": "Profile",
    "/profile/connected-apps/": "Connected apps",
    "/marketplace/": "Marketplace",
    "/device/": "code",
    "/acme/settings/applications/": "Applications",
    "/acme/settings/applications/new/": "Redirect URIs",
    "/acme/settings/integrations/": "Installed apps",
    "/acme/settings/app-policy/": "policy",
    "/acme/settings/webhooks/": "Webhooks",
    "/acme/settings/webhooks/new/": "webhook",
    "/acme/settings/audit/": "Audit log",
    "/acme/marketplace/": "Marketplace",
    "/acme/agents/": "Agents",
}


@pytest.fixture
async def front(db: Database, tmp_path: Path) -> AsyncIterator[Front]:
    async with open_front(db, tmp_path) as opened:
        yield opened


def filled(path: str) -> str:
    names = {"slug": "acme", "identifier": "ENG-1"}
    found = {name: names.get(name, UNKNOWN) for name in re.findall(r"{(\w+)}", path)}
    return path.format(**found).rstrip("/") + "/"


def outside(front: Front, page: Shown) -> list[str]:
    """Links that lead neither below the prefix nor to the Community Edition."""
    allowed = (f"{PREFIX}/", f"{front.upstream.url}/", "http://www.w3.org/")
    links = [unescape(link).rpartition("url=")[2] for link in LINK.findall(page.text)]
    return [link for link in links if not link.startswith(allowed)]


async def test_every_page_and_whatever_it_links_to_is_below_the_prefix(front: Front) -> None:
    ana = await front.visit(front.ana)
    for path, resource in portal_routes(front.site):
        if not hasattr(resource, "on_get") or path in ("/sign-out", "/{slug}/live"):
            continue
        page = await ana.get(PREFIX + filled(path))
        assert page.status in (200, 303, 400, 404), (path, page.status)
        if page.status == 303:
            assert page.location.startswith(f"{PREFIX}/"), (path, page.location)
        elif page.headers["content-type"].startswith("text/html"):
            assert outside(front, page) == [], path
    assert (await ana.get("/profile/")).status == 404, "nothing is at the root"


@pytest.mark.parametrize("path", sorted(HERE))
async def test_pages_of_apps_are_here(front: Front, path: str) -> None:
    ana = await front.visit(front.ana)
    page = await ana.get(PREFIX + path)
    assert page.status == 200
    assert HERE[path] in page.text
    for gone in ("/your-work/", "/profile/api-keys/", "/settings/general/", 'type="password"'):
        assert gone not in page.text, gone


async def test_pages_that_the_community_edition_has_are_not_here_and_say_where_they_are(front: Front) -> None:
    ana = await front.visit(front.ana)
    work = {path for path, _ in work_routes(front.site)}
    checked = 0
    for path, resource in portal_routes(front.site):
        if path not in work and not path.startswith(tuple(KEPT)):
            continue
        checked += 1
        for answer in (
            await ana.get(PREFIX + filled(path)),
            await ana.post(PREFIX + filled(path), {"name": "x"}),
        ):
            assert answer.status == 404, path
            assert "in Plane" in answer.text, path
            assert f'href="{front.upstream.url}/' in answer.text, path
        if path in work:
            assert f'href="{front.upstream.url}{filled(path)}"' in answer.text, path
        assert hasattr(resource, "on_post")
    assert checked > 60


async def test_the_navigation_leads_to_the_projects_and_people_of_the_community_edition(front: Front) -> None:
    ana = await front.visit(front.ana)
    page = await ana.get(f"{PREFIX}/acme/settings/integrations/")
    assert f'href="{front.upstream.url}/acme/projects/"' in page.text
    assert f'href="{front.upstream.url}/acme/settings/members/"' in page.text
    home = await ana.get(f"{PREFIX}/")
    assert f'href="{PREFIX}/acme/"' in home.text
    assert (await ana.get(f"{PREFIX}/acme/")).location == f"{PREFIX}/acme/settings/integrations/"


async def test_a_guest_of_a_workspace_is_led_to_the_community_edition(front: Front) -> None:
    gil = await front.people.join("gil@acme.test", front.ana, "acme", role=5)
    browser = await front.visit(gil)
    assert (await browser.get(f"{PREFIX}/acme/")).location == f"{front.upstream.url}/acme/"


async def test_a_name_is_set_in_the_community_edition_and_the_theme_here(front: Front) -> None:
    ana = await front.visit(front.ana)
    page = await ana.get(f"{PREFIX}/profile/")
    fields = page.form(f"{PREFIX}/profile/appearance/")
    assert (await ana.post(f"{PREFIX}/profile/appearance/", fields | {"theme": "dark"})).status == 303
    refused = await ana.post(f"{PREFIX}/profile/", fields | {"name": "Anna"})
    assert refused.status == 404
    assert "Your name is set in Plane." in refused.text


def test_the_prefix_is_airside_in_front_of_a_community_edition_unless_it_is_set() -> None:
    def prefix(**given: str) -> str:
        return Settings(**given).pages_prefix  # type: ignore[arg-type]

    upstream = "https://plane.example.com"
    assert prefix() == ""
    assert prefix(upstream_url=upstream) == "/airside"
    assert prefix(upstream_url=upstream, pages_prefix="/apps") == "/apps"
    assert prefix(upstream_url=upstream, pages_prefix="") == ""


@pytest.mark.parametrize(
    ("upstream", "base", "pages"),
    [
        ("", "https://plane.example.com", ""),
        ("https://plane.example.com", "https://plane.example.com", "https://plane.example.com"),
        ("http://plane.internal:8000", "https://plane.example.com", "https://plane.example.com"),
        ("http://127.0.0.1:8300/", "http://127.0.0.1:8000", "http://127.0.0.1:8300"),
    ],
)
def test_links_lead_to_the_host_whose_cookie_airside_gets(upstream: str, base: str, pages: str) -> None:
    settings = Settings(upstream_url=upstream, base_url=base)  # pyright: ignore[reportCallIssue]
    assert settings.upstream_pages == pages
    assert urlsplit(pages).hostname in (None, urlsplit(base).hostname)
    assert settings.work_url("/acme/projects/") == f"{pages}/acme/projects/"
