"""A team's day in a real browser: a project, its first work item, the board, a comment that mentions somebody.

With scripts and without, and nothing is complained about in the console. What one person does appears on the page
that another has open.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.support.browser import running_browser
from tests.support.servers import ADMIN, Server, running_server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture
def airside(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path) as server:
        yield server


@pytest.fixture
def complaints() -> list[str]:
    return []


def open_page(
    browser: Browser, airside: Server, complaints: list[str], *, scripts: bool = True
) -> tuple[BrowserContext, Page]:
    """Signed in, at the list of projects."""
    context = browser.new_context(java_script_enabled=scripts)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{airside.url}/sandbox/projects/")
    page.get_by_label("Email").fill(ADMIN)
    page.get_by_label("Password").fill(airside.password or "")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/sandbox/projects/")
    return context, page


def make_project(page: Page) -> str:
    """Engine; the path of its work items."""
    page.get_by_role("link", name="New project").first.click()
    page.get_by_label("Name").fill("Engine")
    page.get_by_role("button", name="Create project").click()
    page.get_by_role("heading", name="Engine").wait_for()
    return page.url


def column(page: Page, state: str):
    return page.get_by_role("region", name=state, exact=True)


def test_a_work_item_from_its_title_to_its_thread(
    browser: Browser, airside: Server, complaints: list[str]
) -> None:
    context, page = open_page(browser, airside, complaints)
    items = make_project(page)

    # Two titles in place, one after the other, without touching the mouse.
    page.get_by_label("Add a work item to Todo").fill("Wheel squeaks")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Wheel squeaks").wait_for()
    expect(page.get_by_label("Add a work item to Todo")).to_have_value("")

    # A property from its menu, which gives the focus back.
    page.get_by_role("link", name=re.compile("^Priority of ENGIN-1")).click()
    page.get_by_role("button", name="Urgent").click()
    changed = page.get_by_role("link", name="Priority of ENGIN-1: Urgent")
    changed.wait_for()
    expect(changed).to_be_focused()

    # On the board by dragging.
    page.get_by_role("link", name="Board").click()
    page.locator("#ENGIN-1").drag_to(column(page, "In Progress"))
    column(page, "In Progress").get_by_role("link", name="Wheel squeaks").wait_for()
    page.get_by_role("link", name="State of ENGIN-1: In Progress").wait_for()

    # Its page, a comment that mentions by the picker, and what happened.
    page.get_by_role("link", name="Wheel squeaks").click()
    page.wait_for_url("**/browse/ENGIN-1/")
    page.get_by_label("Comment", exact=True).press_sequentially("Please oil it, @san")
    page.get_by_role("option", name="Sandbox").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator(".comment .mention")).to_have_text("@Sandbox")
    thread = page.locator("#thread")
    expect(thread).to_contain_text("changed the state from Todo to In Progress")
    expect(thread).to_contain_text("changed the priority from none to urgent")
    expect(page.get_by_label("Comment", exact=True)).to_have_value("")

    # A response that comes after the choice opens the picker no more.
    page.get_by_label("Comment", exact=True).press_sequentially("Thanks, @sa")
    page.get_by_role("option", name="Sandbox").wait_for()
    late: list[Route] = []
    page.route("**/mentionable/?q=san", lambda route: late.append(route))
    with page.expect_request("**/mentionable/?q=san"):
        page.keyboard.press("n")
    page.keyboard.press("Enter")
    with page.expect_response("**/mentionable/?q=san"):
        late[0].continue_()
    expect(page.get_by_label("Comment", exact=True)).to_have_value("Thanks, @Sandbox ")
    page.wait_for_timeout(700)
    expect(page.get_by_role("option")).to_have_count(0)

    # Somebody else's page follows, and keeps what is being typed there.
    other, second = open_page(browser, airside, complaints)
    second.goto(page.url)
    second.get_by_label("Comment", exact=True).fill("I was about to say")
    page.get_by_label("Comment", exact=True).fill("Oiled.")
    page.get_by_role("button", name="Comment", exact=True).click()
    second.locator(".comment", has_text="Oiled.").wait_for()
    expect(second.get_by_label("Comment", exact=True)).to_have_value("I was about to say")
    other.close()

    page.goto(f"{items}?q=isOverdue()")
    page.get_by_role("heading", name="Nothing matches").wait_for()
    context.close()
    assert complaints == []


def test_the_same_without_scripts(browser: Browser, airside: Server, complaints: list[str]) -> None:
    context, page = open_page(browser, airside, complaints, scripts=False)
    items = make_project(page)
    page.get_by_label("Add a work item to Todo").fill("Wheel squeaks")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Wheel squeaks").wait_for()
    page.goto(f"{items}?layout=board")
    page.get_by_role("link", name="State of ENGIN-1: Todo").click()
    page.get_by_role("button", name="Done").click()
    assert page.url == f"{items}?layout=board"
    column(page, "Done").get_by_role("link", name="Wheel squeaks").click()
    page.get_by_label("Comment", exact=True).fill("Well done, @sandbox")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator(".comment .mention")).to_have_text("@Sandbox")
    page.get_by_label("Labels: none").click()
    page.get_by_text("This project has no labels yet.").wait_for()
    context.close()
    assert complaints == []
