"""Every page in a real browser: axe-core finds nothing serious, in light and dark, wide and on a phone; no
complaint on the console, no request to another host, and not too much to load."""

from collections.abc import Iterator
from importlib.resources import files
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

from tests.pages.demo import Demo, running_demo
from tests.pages.demo_planning import Planner
from tests.pages.places import ERRORS, PAGES, SIGNED_OUT
from tests.support.browser import running_browser

MOST_BYTES = 100_000  # transferred for a page with everything it shows, as it is compressed
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
NARROWEST = {"width": 320, "height": 640}
LONG = ("Unbroken" * 25, "مرحبا بالعالم " * 12, "<b>bold</b> & " * 12)
RUN = """async (only) => {
  const found = await axe.run(document, {
    resultTypes: ["violations"],
    ...(only ? {runOnly: only} : {}),
  });
  return found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .flatMap((one) => one.nodes.map((node) =>
      `${one.id}: ${node.html.slice(0, 160)} ${node.any.map((each) => each.message).join("; ").slice(0, 160)}`));
}"""


class Watched:
    """A page whose complaints, hosts and bytes are counted."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        self.bytes = 0
        self.page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        session: CDPSession = context.new_cdp_session(self.page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        session.on("Network.loadingFinished", lambda event: self._count(event["encodedDataLength"]))

    def _count(self, length: float) -> None:
        self.bytes += int(length)

    def find_flaws(self, *only: str) -> list[str]:
        return self.page.evaluate(RUN, list(only) or None)

    def is_too_wide(self) -> bool:
        """Whether one has to scroll sideways."""
        return self.page.evaluate("document.documentElement.scrollWidth > innerWidth")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture(scope="module")
def signed_in(browser: Browser, demo: Demo) -> Iterator[Watched]:
    context = browser.new_context(viewport=WIDE, color_scheme="light")
    context.add_cookies([{"name": "airside_session", "value": demo.session, "url": demo.server.url}])
    yield Watched(context)
    context.close()


@pytest.fixture(scope="module")
def signed_out(browser: Browser, demo: Demo) -> Iterator[Watched]:
    context = browser.new_context(viewport=WIDE, color_scheme="light")
    yield Watched(context)
    context.close()


@pytest.mark.parametrize("template", PAGES)
def test_nothing_is_wrong_with(template: str, demo: Demo, signed_in: Watched, signed_out: Watched) -> None:
    watched = signed_out if template.startswith(SIGNED_OUT) else signed_in
    look_at(watched, demo, demo.path_of(template), 200)
    assert watched.bytes < MOST_BYTES


@pytest.mark.parametrize(("path", "status"), ERRORS.items())
def test_nothing_is_wrong_with_the_error_at(path: str, status: int, demo: Demo, signed_in: Watched) -> None:
    look_at(signed_in, demo, path, status)


@pytest.mark.parametrize("name", LONG, ids=("unbroken", "from right to left", "markup"))
def test_names_of_any_kind_fit_on_a_phone(name: str, demo: Demo, signed_in: Watched) -> None:
    """In everything that a work item's page and the lists of records name."""
    known = demo.known
    planner = Planner.at(demo.server.url, demo.api_key, known["project_id"])
    item = planner.post("work-items", {"name": name})
    module = planner.post("modules", {"name": name, "description": name})
    planner.post(f"modules/{module['id']}/module-issues", {"issues": [item["id"], known["item_id"]]})
    planner.post(
        f"work-items/{item['id']}/relations", {"relation_type": "blocking", "issues": [known["item_id"]]}
    )
    kind = planner.post("work-item-types", {"name": name})
    planner.send("PATCH", f"work-items/{item['id']}", {"type_id": kind["id"]})
    body = {"display_name": name[:100], "property_type": "OPTION", "options": [{"name": name}]}
    prop = planner.post(f"work-item-types/{kind['id']}/work-item-properties", body)
    value = {"value": prop["options"][0]["id"]}
    planner.post(f"work-items/{item['id']}/work-item-properties/{prop['id']}/values", value)
    for path in (
        f"/acme/browse/{item['id']}/",
        f"/acme/browse/{known['item_id']}/",
        f"/acme/projects/{known['project_id']}/records/modules/",
        f"/acme/projects/{known['project_id']}/records/modules/{module['id']}/",
        f"/acme/projects/{known['project_id']}/records/work-item-properties/{prop['id']}/",
    ):
        look_at(signed_in, demo, path, 200)


def look_at(watched: Watched, demo: Demo, path: str, status: int) -> None:
    page, url = watched.page, demo.server.url
    watched.complaints, watched.hosts, watched.bytes = [], set(), 0
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(WIDE)
    answer = page.goto(f"{url}{path}", wait_until="load")
    assert answer is not None
    assert answer.status == status, (path, answer.status)
    page.evaluate(AXE)
    flaws = {"light, wide": watched.find_flaws()}
    page.emulate_media(color_scheme="dark")
    flaws["dark, wide"] = watched.find_flaws("color-contrast")
    page.set_viewport_size(PHONE)
    flaws["dark, phone"] = watched.find_flaws()
    page.emulate_media(color_scheme="light")
    flaws["light, phone"] = watched.find_flaws("color-contrast")
    assert {how: found for how, found in flaws.items() if found} == {}
    for size in (PHONE, NARROWEST):
        page.set_viewport_size(size)
        assert not watched.is_too_wide(), f"it scrolls sideways at {size['width']} px"
    assert [one for one in watched.complaints if status == 200 or f"status of {status}" not in one] == []
    assert watched.hosts == {urlsplit(url).netloc}
