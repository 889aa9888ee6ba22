"""An app's way into the marketplace and out of it into a workspace, in a real browser without scripts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.test_install_in_browser import Callback, Watched, app_url, browser
from tests.support.pictures import make_png
from tests.support.servers import ADMIN, Server, running_server

__all__ = ["app_url", "browser"]

DESCRIPTION = (
    "## What it does\n\nIt tells the room that cares of **every** change, and nobody else of any.\n" * 2
)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def test_an_app_is_listed_by_its_author_approved_found_and_installed(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    watched = Watched(page)
    with running_server(tmp_path) as airside:
        app = register(airside, app_url)
        here = f"{airside.url}/sandbox/settings/applications/{app['id']}/"
        sign_in(page, airside, f"{here}edit/")
        page.locator("#logo").set_input_files(picture("logo.png", make_png(64, 64)))
        page.get_by_role("button", name="Save changes").click()

        page.goto(f"{here}listing/")
        page.get_by_label("Category").select_option(label="Chat and notifications")
        page.get_by_label("Tagline").fill("Brings the news to the room")
        page.get_by_label("Description").fill(DESCRIPTION)
        page.get_by_role("button", name="Save draft").click()
        page.get_by_label("Screenshot").set_input_files(picture("room.png", make_png()))
        page.get_by_label("Caption").fill("The room")
        page.get_by_role("button", name="Upload").click()
        page.get_by_role("link", name="Preview").click()
        page.get_by_role("heading", name="What it does").first.wait_for()
        assert page.get_by_role("img", name="The room").evaluate("each => each.naturalWidth") == 640
        page.go_back()
        page.get_by_role("button", name="Send to review").click()
        page.get_by_text("The listing is in review.").wait_for()

        page.get_by_role("link", name="Review queue").click()
        page.get_by_role("link", name="Courier").click()
        page.get_by_role("button", name="Approve").click()
        page.get_by_text("approved and published.").wait_for()

        page.goto(f"{airside.url}/sandbox/marketplace/")
        page.get_by_role("searchbox").fill("room news")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="Courier", exact=True).click()
        page.get_by_text("Unverified").wait_for()
        page.get_by_role("link", name="Install App: Courier").click()
        page.get_by_role("heading", name="Install Courier in Sandbox?").wait_for()
        page.get_by_role("button", name="Allow").click()
        page.get_by_role("heading", name="Courier is ready").wait_for()
        assert {"code", "app_installation_id"} <= set(Callback.called[0])

        page.goto(f"{airside.url}/sandbox/marketplace/courier/")
        page.get_by_role("link", name="See what it may do").click()
        page.get_by_role("heading", name="What it can do").wait_for()
    assert watched.complaints == []


def register(airside: Server, app_url: str) -> dict[str, str]:
    return airside.cli(
        "app", "create", "--workspace", "sandbox", "--name", "Courier",
        "--redirect-uri", f"{app_url}/callback", "--scope", "projects.work_items:read",
        "--contact-email", "hello@courier.example", "--organization-name", "Courier & Sons",
        "--privacy-policy-url", "https://courier.example/privacy",
        "--terms-of-service-url", "https://courier.example/terms",
    )  # fmt: skip


def sign_in(page: Page, airside: Server, then: str) -> None:
    page.goto(then)
    page.get_by_label("Email").fill(ADMIN)
    page.get_by_label("Password").fill(airside.password or "")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(then)


def picture(name: str, data: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "image/png", "buffer": data}
