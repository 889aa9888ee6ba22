"""Rows CO1 and PT1 in a real browser: a frame elsewhere shows none of Airside's pages, and nothing that an author
types runs in one."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import running_browser
from tests.support.servers import ADMIN, Server, running_server

NASTY = [
    "<script>document.title='run'</script>",
    '"><img src=x onerror="document.title=\'run\'">',
    "</textarea><svg/onload=document.title='run'>",
    "' autofocus onfocus=document.title='run' x='",
    "<iframe srcdoc=\"<script>parent.document.title='run'</script>\">",
    "javascript:document.title='run'",
]


class Framing(BaseHTTPRequestHandler):
    """A page of somebody else's that frames whatever its path names."""

    airside = ""

    def do_GET(self) -> None:
        body = f'<!doctype html><link rel=icon href=data:,><iframe src="{self.airside}{self.path}"></iframe>'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def airside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    with running_server(folder) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture
def elsewhere(airside: Server) -> Iterator[str]:
    Framing.airside = airside.url
    server = ThreadingHTTPServer(("127.0.0.1", 0), Framing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"  # another site than 127.0.0.1
    server.shutdown()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def sign_in(page: Page, airside: Server) -> None:
    page.goto(f"{airside.url}/sign-in/")
    page.get_by_label("Email").fill(ADMIN)
    page.get_by_label("Password").fill(airside.password or "")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{airside.url}/")


def register(airside: Server, *words: str) -> str:
    here = ("app", "create", "--workspace", "sandbox", "--redirect-uri", "https://courier.example/callback")
    return airside.cli(*here, *words)["client_id"]


def authorize_path(client_id: str) -> str:
    return f"/auth/o/authorize-app/?client_id={client_id}&response_type=code"


def test_co1_a_frame_elsewhere_stays_empty(airside: Server, elsewhere: str, page: Page) -> None:
    consent = authorize_path(register(airside, "--name", "Framed"))
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    sign_in(page, airside)
    for path in ("/sign-in/", "/", "/profile/", "/sandbox/settings/applications/", consent):
        refused.clear()
        page.goto(f"{elsewhere}{path}")
        page.wait_for_function("() => document.querySelector('iframe').contentDocument === null")
        assert not any("airside" in frame.content().lower() for frame in page.frames[1:]), path
        assert any("frame-ancestors" in text or "X-Frame-Options" in text for text in refused), (
            path,
            refused,
        )


def test_pt1_nothing_that_an_author_types_runs(airside: Server, page: Page) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    clients = [
        register(airside, "--name", text[:80], "--short-description", text, "--organization-name", text[:80])
        for text in NASTY
    ]
    sign_in(page, airside)
    shelves = [
        "/sandbox/settings/applications/",
        "/sandbox/settings/integrations/",
        "/sandbox/settings/audit/",
    ]
    for path in [*shelves, *map(authorize_path, clients)]:
        page.goto(f"{airside.url}{path}")
        page.locator("main").wait_for()
        page.wait_for_function("() => document.readyState === 'complete'")
        assert page.title() != "run", path
        assert page.locator("main").locator("iframe, script, svg[onload], img[onerror]").count() == 0, path
    assert dialogs == []
