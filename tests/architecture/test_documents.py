"""Documents that must not drift from what they describe."""

import re
from difflib import unified_diff
from pathlib import Path

import pytest

from airside.api.served import APIS, Api
from airside.settings import Settings
from tools import api_coverage
from tools.openapi import kept, render

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_the_readme_lists_every_setting() -> None:
    listed = set(re.findall(r"^\| `(AIRSIDE_\w+)`", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert listed == {f"AIRSIDE_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_index_lists_every_page_of_the_documentation_once() -> None:
    """A page that nothing leads to is read by nobody; a decision's entry is its title."""
    index = ROOT / "docs" / "README.md"
    entries = re.findall(r"\[([^\]]+)\]\(([\w/-]+\.md)\)", index.read_text())
    pages = {
        str(page.relative_to(index.parent)): page for page in index.parent.rglob("*.md") if page != index
    }
    assert sorted(path for _, path in entries) == sorted(pages)
    titles = {path: title for title, path in entries if path.startswith("decisions/")}
    assert titles == {path: read_title(pages[path]) for path in titles}


def read_title(page: Path) -> str:
    return page.read_text().partition("\n")[0].removeprefix("# ")


def list_anchors(page: Path) -> set[str]:
    """The fragments of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_fragment_of_a_link_is_a_heading_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text())
    dead = [
        f"{target}#{fragment}"
        for target, fragment in links
        if fragment not in list_anchors(page.parent / target if target else page)
    ]
    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_named_file_is_there(page: Path) -> None:
    """A path in backticks that begins with a folder of the checkout, such as `airside/app.py`."""
    named = re.findall(r"`((?:airside|tests|tools|docs|bench)/[\w./-]+\.\w+)`", page.read_text())
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_name_in_a_how_to_is_in_the_code() -> None:
    """Functions, lists and options in backticks; those of nginx and HAProxy are elsewhere."""
    code = {
        word for path in (ROOT / "airside").rglob("*.py") for word in re.findall(r"\w+", path.read_text())
    }
    code |= {word for path in (ROOT / "tests").rglob("*.py") for word in re.findall(r"\w+", path.read_text())}
    unknown = [
        f"{page.name}: {name}"
        for page in (ROOT / "docs" / "how-to").glob("*.md")
        if page.name != "run-behind-a-proxy.md"
        for name in re.findall(r"`_?([A-Za-z]\w*)(?:\(\))?`", page.read_text())
        if not name.startswith("AIRSIDE_") and name not in code and f"_{name}" not in code
    ]
    assert unknown == []


def test_every_test_that_the_seed_coverage_names_is_there() -> None:
    text = (ROOT / "docs" / "seed-coverage.md").read_text()
    for path, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text):
        source = (ROOT / path).read_text()
        assert not name or f"def {name}(" in source, f"{path}::{name}"


def test_decisions_are_numbered_one_after_another() -> None:
    """Two that were written at the same time had one number, so a reference to it led to either."""
    numbers = sorted(int(page.name[:4]) for page in (ROOT / "docs" / "decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.wire.name)
def test_the_kept_description_of_an_api_is_that_of_today(api: Api) -> None:
    """Clients are generated from it, so a change of the API shows in a review as a change of this file."""
    before = (kept(api).read_text() if kept(api).exists() else "").splitlines()
    changed = list(unified_diff(before, render(api).splitlines(), "kept", "today", lineterm="", n=1))
    assert not changed, "run `make openapi` and commit what it wrote:\n" + "\n".join(changed[:60])


def test_the_kept_page_of_what_is_served_is_that_of_today() -> None:
    """An author chooses Airside by it."""
    before, today = api_coverage.PAGE.read_text().splitlines(), api_coverage.render().splitlines()
    changed = list(unified_diff(before, today, "kept", "today", lineterm="", n=1))
    assert not changed, "run `make api-coverage` and commit what it wrote:\n" + "\n".join(changed[:60])
