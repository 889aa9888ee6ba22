"""A person's story in a real browser: register an app, install it, land on its redirect URI, take it all back.

Every page on the way has to do without console errors, and without a request to any host but the two of the
story: Airside and the app's own server.
"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.browser import running_browser
from tests.support.servers import ADMIN, Server, running_server


class Callback(BaseHTTPRequestHandler):
    """The app's redirect URI: remembers what it was called with, and sends the person on, as apps do."""

    called: list[dict[str, str]] = []

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/callback":
            self.called.append({name: values[0] for name, values in parse_qs(parts.query).items()})
            self.send_response(302)
            self.send_header("Location", "/welcome")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(
            b"<!doctype html><link rel=icon href=data:,><title>Courier</title><h1>Courier is ready</h1>"
        )

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def app_url() -> Iterator[str]:
    Callback.called = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Callback)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture
def airside(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path) as server:
        yield server


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    opened = browser.new_context(java_script_enabled=request.param)
    opened.set_default_timeout(20_000)
    yield opened
    opened.close()


class Watched:
    """A page whose complaints and requests are kept."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self._hear("error", str(error)))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and "status of 422" not in text:  # Chromium notes every form that came back
            self.complaints.append(text)


def test_a_person_registers_an_app_installs_it_and_takes_it_back(
    airside: Server, app_url: str, context: BrowserContext
) -> None:
    watched = Watched(context.new_page())
    page = watched.page

    # The address of the list of apps leads through sign-in, and back to it.
    page.goto(f"{airside.url}/sandbox/settings/applications/")
    page.get_by_label("Email").fill(ADMIN)
    page.get_by_label("Password").fill(airside.password or "")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/sandbox/settings/applications/")

    register_app(page, app_url)
    first_secret = page.get_by_role("textbox", name="Client Secret").input_value()
    assert first_secret.startswith("pln_secret_")
    page.get_by_role("link", name="continue").click()
    assert first_secret not in page.content()

    # Install App leads straight to consent, since the app has no setup URL; there is one workspace to choose.
    page.get_by_role("link", name="Install App").first.click()
    page.get_by_role("heading", name="Install Courier in Sandbox?").wait_for()
    assert urlsplit(app_url).netloc in page.locator("main").inner_text()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"{app_url}/welcome")
    [called] = Callback.called
    assert called.keys() == {"code", "app_installation_id", "iss"}

    # It can't be installed again, only seen and uninstalled.
    page.goto(f"{airside.url}/sandbox/settings/integrations/")
    page.get_by_role("link", name="Courier").click()
    assert page.url.endswith(f"/{called['app_installation_id']}/")
    page.get_by_role("link", name="Uninstall").click()
    page.get_by_role("button", name="Uninstall").click()
    page.get_by_text("The app is uninstalled.").wait_for()

    make_a_secret(page, airside)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in to Airside").wait_for()
    assert watched.complaints == []
    assert watched.hosts == {urlsplit(airside.url).netloc, urlsplit(app_url).netloc}


def test_saying_no_takes_the_person_back_to_the_app_with_the_refusal(
    airside: Server, app_url: str, context: BrowserContext
) -> None:
    made = airside.cli(
        "app", "create", "--workspace", "sandbox", "--name", "Courier", "--redirect-uri", f"{app_url}/callback"
    )  # fmt: skip
    page = context.new_page()
    page.goto(
        f"{airside.url}/auth/o/authorize-app/?client_id={made['client_id']}&response_type=code&state=a%2Bb"
    )
    assert "Courier" in page.locator("main").inner_text()
    page.get_by_label("Email").fill(ADMIN)
    page.get_by_label("Password").fill(airside.password or "")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_url(f"{app_url}/welcome")
    [called] = Callback.called
    assert (called["error"], called["state"]) == ("access_denied", "a+b")


def register_app(page: Page, app_url: str) -> None:
    page.get_by_role("link", name="Build your own").click()
    page.get_by_label("App name").fill("Courier")
    page.get_by_label("Short description").fill("Brings changes to chat.")
    page.get_by_label("Redirect URIs").fill(f"{app_url}/callback")
    page.get_by_label("Webhook URL endpoint").fill("nonsense")
    page.locator("form[enctype]").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Create app").click()

    # What was typed is still there, and the field says what is wrong with it.
    assert page.get_by_label("App name").input_value() == "Courier"
    assert page.get_by_label("Webhook URL endpoint").get_attribute("aria-invalid") == "true"
    page.get_by_label("Webhook URL endpoint").fill(f"{app_url}/webhook")
    page.get_by_role("button", name="Create app").click()
    page.get_by_role("heading", name="Courier is registered").wait_for()


def make_a_secret(page: Page, airside: Server) -> None:
    """A second client secret, which asks for the password again, and the end of the first."""
    page.goto(f"{airside.url}/sandbox/settings/applications/")
    page.get_by_role("link", name="Courier").click()
    page.get_by_role("link", name="Credentials").click()
    page.get_by_role("link", name="New secret").click()
    page.get_by_label("Your password").fill("not the password")
    page.get_by_role("button", name="Make a secret").click()
    page.get_by_label("Your password").fill(airside.password or "")
    page.get_by_role("button", name="Make a secret").click()
    page.get_by_role("heading", name="New client secret").wait_for()
    page.get_by_role("link", name="continue").click()
    page.get_by_role("link", name="End the secret").first.click()
    page.get_by_label("Your password").fill(airside.password or "")
    page.get_by_role("button", name="End this secret").click()
    page.get_by_text("The client secret is revoked.").wait_for()
