"""Documents that must not drift from what they describe."""

import re
from pathlib import Path

import pytest

from airside.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_the_readme_lists_every_setting() -> None:
    listed = set(re.findall(r"^\| `(AIRSIDE_\w+)`", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert listed == {f"AIRSIDE_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_named_file_is_there(page: Path) -> None:
    """A path in backticks that begins with a folder of the checkout, such as `airside/app.py`."""
    named = re.findall(r"`((?:airside|tests|tools|docs|bench)/[\w./-]+\.\w+)`", page.read_text())
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_test_that_the_seed_coverage_names_is_there() -> None:
    text = (ROOT / "docs" / "seed-coverage.md").read_text()
    for path, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text):
        source = (ROOT / path).read_text()
        assert not name or f"def {name}(" in source, f"{path}::{name}"


def test_decisions_are_numbered_one_after_another() -> None:
    """Two that were written at the same time had one number, so a reference to it led to either."""
    numbers = sorted(int(page.name[:4]) for page in (ROOT / "docs" / "decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
