"""With AIRSIDE_PAGES_PREFIX every page for people, and whatever it links to, is below the prefix.

Another application has the rest of the origin; only what clients use keeps its address."""

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, expect
from pydantic import ValidationError

from airside.settings import Settings
from tests.cast import PASSWORD
from tests.pages.demo import Demo, running_demo
from tests.pages.places import PAGES
from tests.support.browser import running_browser

PREFIX = "/airside"
WIRE = ("/api/", "/auth/o/")  # addresses that clients use
NO_LINKS = {"value", "placeholder", "data-copy", "d"}  # attributes that no browser follows
MAX_PAGES = 400  # of one visitor
ENDS = re.compile(r"/delete/|uninstall|suspend|/end/|revoke|disconnect|withdraw|remove|archive|sign-out")
EVENTS = "text/event-stream"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo"), AIRSIDE_PAGES_PREFIX=PREFIX) as running:
        yield running


class Addresses(HTMLParser):
    """The addresses of a page by what holds them, the forms that change something, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        for name, value in named.items():
            shown = value.partition("url=")[2] if name == "content" else value
            if name not in NO_LINKS and shown.startswith(("/", "http:", "https:")):
                self.found.append((f"{tag} {name}", shown))
        if tag == "form" and named.get("method") == "post":
            self.forms.append((named["action"], {}))
        elif tag in ("input", "button") and self.forms and named.get("name") and is_sent(named):
            self.forms[-1][1].setdefault(named["name"], named.get("value", ""))

    @property
    def links(self) -> list[str]:
        return [address for held_by, address in self.found if held_by == "a href"]


def is_sent(field: dict[str, str]) -> bool:
    return field.get("type") not in ("checkbox", "radio", "file") or "checked" in field


class Walk:
    """Somebody who opens every page that links lead to, without scripts."""

    def __init__(self, demo: Demo, name: str) -> None:
        self.demo, self.name = demo, name
        self.http = requests.Session()
        if name:
            self.http.cookies.set("airside_session", demo.sessions[name])
        self.seen: set[str] = set()
        self.outside: set[tuple[str, str, str]] = set()  # page, what holds the address, the address
        self.forms: dict[str, tuple[str, dict[str, str]]] = {}  # action → the page it is on, and its fields

    def walk(self, start: list[str]) -> None:
        waiting = list(start)
        while waiting and len(self.seen) < MAX_PAGES:
            url = urldefrag(waiting.pop(0)).url
            if url in self.seen or not url.startswith(f"{self.demo.server.url}/"):
                continue
            self.seen.add(url)
            waiting += [urljoin(url, link) for link in self.open(url)]

    def open(self, url: str, **headers: str) -> list[str]:
        """The links of the page, or where it redirects to."""
        with self.http.get(url, headers=headers, allow_redirects=False, stream=True, timeout=30) as answer:
            self.check_headers(answer)
            if answer.is_redirect:
                return [answer.headers["Location"]]
            if not answer.headers.get("Content-Type", "").startswith("text/html"):
                return []
            page = Addresses(answer.text)
            for held_by, address in page.found:
                self.check(url, held_by, address)
            for text in re.findall(rf"{re.escape(self.demo.server.url)}/[\w./-]*", unescape(answer.text)):
                self.check(url, "text", text)
            for action, fields in page.forms:
                self.forms.setdefault(urljoin(url, action), (url, fields))
            return page.links

    def post(self, action: str) -> None:
        """Send the form as the page shows it, from that page."""
        page, fields = self.forms[action]
        answer = self.http.post(
            action, data=fields, headers={"Referer": page}, allow_redirects=False, timeout=30
        )
        assert answer.status_code < 500, action
        self.check_headers(answer)

    def check_headers(self, answer: requests.Response) -> None:
        if answer.is_redirect:
            self.check(answer.url, "Location", answer.headers["Location"])
        for path in re.findall(r"[Pp]ath=([^;,]*)", answer.headers.get("Set-Cookie", "")):
            if path != PREFIX:
                self.outside.add((answer.url, "Set-Cookie", path))

    def check(self, page: str, held_by: str, address: str) -> None:
        url = urlsplit(urljoin(page, address))
        is_here = url.netloc == urlsplit(self.demo.server.url).netloc
        if is_here and not is_inside(url.path) and not url.path.startswith(WIRE):
            self.outside.add((page, held_by, address))


def is_inside(path: str) -> bool:
    return path == PREFIX or path.startswith(f"{PREFIX}/")


@pytest.mark.parametrize(
    "prefix", ["airside", "/airside/", "/", "//a", "/a b", "/../a", "/a/..", "/é", "/api", "/auth"]
)
def test_a_prefix_that_no_page_can_be_below_is_refused(prefix: str) -> None:
    with pytest.raises(ValidationError, match="pages_prefix"):
        Settings(pages_prefix=prefix)


@pytest.mark.parametrize("path", ["/", "/acme/projects/", "/acme/?page=2", "/acme/#end"])
def test_page_url_and_page_path_are_inverse(path: str) -> None:
    for prefix in ("", "/airside", "/apps/air.side"):
        settings = Settings(pages_prefix=prefix)
        assert settings.page_url(path) == f"{prefix}{path}"
        assert settings.page_path(settings.page_url(path)) == path
    for other in ("/", "/acme/", "/airsides/", "//airside/", ""):
        assert Settings(pages_prefix="/airside").page_path(other) == ""


@pytest.mark.parametrize(
    "address", ["https://app.example/", "#top", "?page=2", "/api/assets/v2/static/x/", ""]
)
def test_what_is_no_page_stays_as_it_is(address: str) -> None:
    assert Settings(pages_prefix="/airside").page_url(address) == address


def all_pages(demo: Demo) -> list[str]:
    missing = [
        f"{demo.server.url}{PREFIX}{path}" for path in ("", "/nothing/here/", "/other/settings/audit/")
    ]
    return [*missing, *(demo.url_of(template) for template in PAGES)]


@pytest.mark.parametrize("name", ["ana", "ben", "gil", "zoe", ""])
def test_no_page_links_outside_of_the_prefix(demo: Demo, name: str) -> None:
    """Ana is an admin and operator, Ben a member, Gil a guest, Zoe is in another workspace; "" is nobody."""
    visitor = Walk(demo, name)
    visitor.walk(all_pages(demo))
    assert len(visitor.seen) > (100 if name == "ana" else 20), visitor.seen
    visitor.open(f"{demo.server.url}{PREFIX}/acme/your-work/", **{"HX-Request": "true"})
    assert visitor.outside == set()


def test_nothing_is_outside_of_the_prefix(demo: Demo) -> None:
    visitor = Walk(demo, "ana")
    for template in PAGES:
        path = demo.path_of(template)
        if not path.startswith(WIRE):
            answer = visitor.http.get(f"{demo.server.url}{path}", allow_redirects=False, timeout=30)
            assert (answer.status_code, answer.headers.get("Set-Cookie")) == (404, None), path
    for path in ("/api/v1/users/me/", "/auth/o/token/", "/healthz"):
        assert visitor.http.get(f"{demo.server.url}{PREFIX}{path}", timeout=30).status_code == 404, path


def test_clients_find_what_they_use_where_it_was(demo: Demo) -> None:
    url = demo.server.url
    described = requests.get(f"{url}/.well-known/oauth-authorization-server", timeout=30).json()
    assert described["authorization_endpoint"] == f"{url}/auth/o/authorize-app/"
    for path in ("/healthz", "/readyz", "/metrics", "/api/openapi.json"):
        assert requests.get(f"{url}{path}", timeout=30).ok, path


def test_the_live_stream_is_inside(demo: Demo) -> None:
    visitor = Walk(demo, "ana")
    page = visitor.http.get(f"{demo.server.url}{PREFIX}/acme/browse/{demo.known['identifier']}/", timeout=30)
    stream = page.text.split('data-live-stream="')[1].split('"')[0]
    assert stream == f"{PREFIX}/acme/live/"
    url = f"{demo.server.url}{stream}?topics=work_item:{demo.known['item_id']}"
    with visitor.http.get(url, stream=True, timeout=30) as events:
        assert events.headers["Content-Type"].startswith(EVENTS)


def test_sign_in_returns_to_a_page_inside_only(demo: Demo) -> None:
    """The page that a failed request names is the client's claim: it counts only below the prefix."""
    url = demo.server.url
    places = {
        f"{url}{PREFIX}/acme/your-work/?page=2": f"{PREFIX}/acme/your-work/?page=2",
        f"{url}/acme/projects/": f"{PREFIX}/",  # of the other application
        f"{url}{PREFIX}elsewhere/": f"{PREFIX}/",
        f"{url}{PREFIX}//evil.example/": f"{PREFIX}/",
        "https://evil.example//evil.example": f"{PREFIX}/",
    }
    for claimed, expected in places.items():
        visitor = Walk(demo, "")
        refused = visitor.http.post(
            f"{url}{PREFIX}/profile/", headers={"Referer": claimed}, allow_redirects=False, timeout=30
        )
        page = visitor.http.get(urljoin(url, refused.headers["Location"]), timeout=30)
        [(action, fields)] = Addresses(page.text).forms
        filled = fields | {"email": "ben@example.com", "password": PASSWORD}
        done = visitor.http.post(urljoin(url, action), data=filled, allow_redirects=False, timeout=30)
        assert done.headers["Location"] == expected, claimed
        visitor.check_headers(done)
        assert visitor.outside == set()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


def test_an_app_is_installed_and_a_page_updates_itself_below_the_prefix(demo: Demo, browser: Browser) -> None:
    """In a real browser: sign in, install an app from the marketplace, see a comment that a client writes."""
    requested: list[str] = []
    page = browser.new_context().new_page()
    page.on("request", lambda request: requested.append(urlsplit(request.url).path))
    page.goto(f"{demo.server.url}{PREFIX}/acme/marketplace/lantern/")
    page.get_by_label("Email").fill("ana@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{PREFIX}/acme/marketplace/lantern/")
    page.get_by_role("link", name="Install App: Lantern").click()
    page.wait_for_url(f"**{PREFIX}/consent/**")
    page.context.route(re.compile("^https://courier.example/"), lambda route: route.fulfill(body="the app"))
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(re.compile("^https://courier.example/callback"))
    page.goto(f"{demo.server.url}{PREFIX}/acme/settings/integrations/")
    expect(page.get_by_role("link", name="Lantern")).to_be_visible()

    with page.expect_request(f"**{PREFIX}/acme/live/**"):
        page.goto(f"{demo.server.url}{PREFIX}/acme/browse/{demo.known['identifier']}/")
    known = demo.known
    comments = f"projects/{known['project_id']}/work-items/{known['item_id']}/comments/"
    requests.post(
        f"{demo.server.url}/api/v1/workspaces/acme/{comments}",
        json={"comment_html": "<p>Seen without a reload.</p>"},
        headers={"X-API-Key": demo.api_key},
        timeout=30,
    ).raise_for_status()
    expect(page.get_by_text("Seen without a reload.")).to_be_visible()
    assert {path for path in requested if not is_inside(path) and not path.startswith(WIRE)} <= {"/callback"}


def test_every_form_leads_to_a_page_inside(demo: Demo) -> None:
    """Last, since this also sends the forms that delete what the pages show."""
    visitor = Walk(demo, "ana")
    visitor.walk(all_pages(demo))
    assert len(visitor.forms) > 40, visitor.forms.keys()
    assert all(is_inside(urlsplit(action).path) for action in visitor.forms)
    for action in sorted(visitor.forms, key=lambda one: bool(ENDS.search(one))):
        visitor.post(action)
    assert visitor.outside == set()
