"""Forms in a real browser: sent once however often one clicks, work that is shown, and failures that are said where
one looks."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.journeys.test_work_in_browser import column, make_project, open_page
from tests.support.browser import running_browser
from tests.support.servers import ADMIN, Server, running_server

REFUSED = {
    403: "do that here",
    404: "have been deleted",
    409: "else changed this",
    413: "too large",
    429: "Too many requests",
    500: "failed. Reload",
    503: "temporarily unavailable",
}
WATCH = """() => {
  window.busy = [];
  let begun = 0;
  addEventListener("submit", () => { begun ||= performance.now(); }, true);
  new MutationObserver((changes) => {
    for (const {target} of changes)
      window.busy.push([target.getAttribute("aria-busy"), performance.now() - begun]);
  }).observe(document, {subtree: true, attributes: true, attributeFilter: ["aria-busy"]});
}"""


SIGN_OUT = """() => fetch("/sign-out/", {method: "POST", redirect: "manual", body: new URLSearchParams(
  {csrf_token: document.querySelector("[name=csrf_token]").value})})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def airside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("forms")) as server:
        yield server


def count_posts(page: Page) -> list[str]:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    return sent


def answer_with(status: int) -> Callable[[Route], None]:
    return lambda route: route.fulfill(status=status, body="<p>no")


def trouble(page: Page):
    return page.locator("#trouble")


def is_beside(page: Page, control) -> bool:
    """Whether what is said stands next to the control."""
    said, used = trouble(page).bounding_box(), control.bounding_box()
    assert said
    assert used
    gap = max(said["y"] - used["y"] - used["height"], used["y"] - said["y"] - said["height"])
    return 0 <= gap < 20 and said["x"] < used["x"] + used["width"] and used["x"] < said["x"] + said["width"]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_double_click_registers_one_app_and_a_reload_none(
    browser: Browser, airside: Server, scripts: bool
) -> None:
    context, page = open_page(browser, airside, [], scripts=scripts)
    name = f"Tally {scripts}"
    page.goto(f"{airside.url}/sandbox/settings/applications/new/")
    page.get_by_label("App name").fill(name)
    page.get_by_label("Redirect URIs").fill("https://tally.example/back")
    sent = count_posts(page)
    page.get_by_role("button", name="Create app").dblclick()
    page.wait_for_url("**/made/?answer=*")
    expect(page.locator("#client_secret")).to_have_value(re.compile("^pln_secret_"))
    assert not scripts or len(sent) == 1
    page.reload()
    page.get_by_role("heading", name="This was shown once").wait_for()
    page.get_by_role("link", name="Credentials").last.wait_for()
    page.go_back()
    page.goto(f"{airside.url}/sandbox/settings/applications/")
    expect(page.get_by_role("link", name=name)).to_have_count(1)
    context.close()


def test_work_is_shown_after_a_while_and_what_fails_is_said_beside_what_was_used(
    browser: Browser, airside: Server
) -> None:
    context, page = open_page(browser, airside, [])
    make_project(page)
    title = page.get_by_label("Add a work item to Todo")
    sent = count_posts(page)

    # Quick: nothing flickers. The same title twice is meant twice.
    for number in (1, 2):
        page.evaluate(WATCH)
        title.fill("Wheel squeaks")
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="Wheel squeaks")).to_have_count(number)
        assert all(after >= 150 for busy, after in page.evaluate("busy") if busy == "true")

    # Slow: shown from then on, and sent once.
    def slowly(route: Route) -> None:
        page.wait_for_timeout(700)
        route.continue_()

    page.locator(".item-name").first.click()
    page.wait_for_url("**/browse/ENGIN-*/")
    comment, button = (
        page.get_by_label("Comment", exact=True),
        page.get_by_role("button", name="Comment", exact=True),
    )
    page.route("**/comments/", slowly)
    page.evaluate(WATCH)
    comment.fill("Oiled.")
    sent.clear()
    button.dblclick()
    page.locator(".comment", has_text="Oiled.").wait_for()
    assert len(sent) == 1
    shown, over = page.evaluate("busy")
    assert (shown[0], over[0]) == ("true", None)
    assert 150 <= shown[1] < 600
    page.unroute("**/comments/")

    # Refused, each in its words, and what was typed stays.
    comment.fill("Look at this")
    for status, words in REFUSED.items():
        page.route("**/comments/", answer_with(status))
        button.click()
        expect(trouble(page)).to_contain_text(words)
        expect(trouble(page)).to_have_attribute("role", "alert")
        assert is_beside(page, page.locator(".comment-form").last), status
        expect(comment).to_have_value("Look at this")
        page.unroute("**/comments/")
    page.keyboard.press("Escape")
    expect(trouble(page)).to_have_count(0)

    # Nobody there, and offline.
    page.route("**/comments/", lambda route: route.abort())
    button.click()
    expect(trouble(page)).to_contain_text("be reached")
    page.unroute("**/comments/")
    context.set_offline(True)
    button.click()
    expect(trouble(page)).to_contain_text("You are offline")
    expect(comment).to_have_value("Look at this")
    context.set_offline(False)

    # The session is over: back in by another tab, and then it is sent.
    context.clear_cookies()
    button.click()
    expect(trouble(page)).to_contain_text("You are signed out")
    sign_in_beside(page, trouble(page).get_by_role("link", name="Sign in"), airside)
    expect(trouble(page)).to_have_count(0)
    button.click()
    page.locator(".comment", has_text="Look at this").wait_for()

    # A property's menu: said beside the property. A card goes back to where it was.
    page.route("**/set/*/", lambda route: refuse_posts(route))
    priority = page.get_by_role("link", name=re.compile("^Priority"))
    priority.click()
    page.get_by_role("button", name="Urgent").click()
    expect(trouble(page)).to_contain_text("do that here")
    assert is_beside(page, priority)
    expect(priority).to_be_focused()
    page.unroute("**/set/*/")
    page.goto(page.url.split("/browse/")[0] + "/projects/")
    page.get_by_role("link", name="Engine").first.click()
    page.get_by_role("link", name="Board").click()
    page.route("**/set/*/", lambda route: refuse_posts(route))
    page.locator("#ENGIN-1").drag_to(column(page, "In Progress"))
    expect(trouble(page)).to_contain_text("do that here")
    column(page, "Todo").locator("#ENGIN-1").wait_for()
    page.unroute("**/set/*/")

    # A page that hears of no changes says so, until it does, or for good.
    page.route("**/live/?*", lambda route: route.abort())
    page.reload()
    standing = page.locator("#standing")
    expect(standing).to_contain_text("Not connected", timeout=15_000)
    page.unroute("**/live/?*")
    expect(standing).to_have_count(0, timeout=15_000)
    page.evaluate(SIGN_OUT)
    expect(standing).to_contain_text("You are signed out", timeout=15_000)
    expect(standing.get_by_role("link", name="Reload the page")).to_have_count(0)
    sign_in_beside(page, standing.get_by_role("link", name="Sign in in a new tab"), airside)
    expect(standing).to_have_count(0)
    context.close()


def sign_in_beside(page: Page, link: Locator, airside: Server) -> None:
    """In a new tab, which the link opens, and back to the page."""
    with page.context.expect_page() as opened:
        link.click()
    other = opened.value
    other.get_by_label("Email").fill(ADMIN)
    other.get_by_label("Password").fill(airside.password or "")
    other.get_by_role("button", name="Sign in").click()
    other.get_by_role("button", name="Sign out").wait_for()
    other.close()
    page.bring_to_front()
    page.evaluate("dispatchEvent(new Event('focus'))")


def test_what_was_typed_into_a_plain_form_is_kept_when_the_session_has_ended(
    browser: Browser, airside: Server
) -> None:
    context, page = open_page(browser, airside, [])
    page.goto(f"{airside.url}/sandbox/settings/applications/new/")
    page.get_by_label("App name").fill("Kept")
    page.get_by_label("Redirect URIs").fill("https://kept.example/back")
    page.get_by_label("Short description").fill("Typed before the session ended")
    context.clear_cookies()
    page.get_by_role("button", name="Create app").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(page.get_by_label("Description")).to_have_value("Typed before the session ended")
    expect(page.get_by_role("button", name="Send again")).to_be_hidden()
    sign_in_beside(page, page.get_by_role("link", name="Sign in in a new tab"), airside)
    expect(page.get_by_text("Signed in as")).to_contain_text(ADMIN)
    page.get_by_role("button", name="Send again").click()
    page.wait_for_url("**/made/?answer=*")
    page.goto(f"{airside.url}/sandbox/settings/applications/")
    expect(page.get_by_role("link", name="Kept")).to_be_visible()
    expect(page.get_by_text("Typed before the session ended")).to_be_visible()
    context.close()


def refuse_posts(route: Route) -> None:
    if route.request.method == "POST":
        route.fulfill(status=403, body="<p>no")
    else:
        route.continue_()


def test_what_is_busy_does_not_move_for_those_who_want_no_motion(browser: Browser, airside: Server) -> None:
    context, page = open_page(browser, airside, [])
    page.goto(f"{airside.url}/profile/")
    button = page.get_by_role("button", name="Save").first
    button.evaluate("one => one.setAttribute('aria-busy', 'true')")
    page.emulate_media(reduced_motion="no-preference")
    animation = "one => getComputedStyle(one, '::after').animationName"
    assert button.evaluate(animation) == "busy"
    page.emulate_media(reduced_motion="reduce")
    assert button.evaluate(animation) == "none"
    context.close()
