"""One place for each component, and one page that shows them all."""

import re
from pathlib import Path

import airside.portal

TEMPLATES = Path(airside.portal.__file__).parent / "templates"
GUIDE = (TEMPLATES / "styleguide.html").read_text()
# What has no look of its own, or is nothing without its page.
NOT_SHOWN = {"shapes", "scripts", "live", "listing_body"}


def imported() -> set[str]:
    """The macros of components/ that some page uses."""
    return {
        name.strip().split(" as ")[0]
        for path in TEMPLATES.rglob("*.html")
        if path.parent.name != "components"
        for names in re.findall(
            r'from "components/\w+\.html" import ([^%]+?)(?: with context)? -?%}', path.read_text()
        )
        for name in names.split(",")
    }


def test_the_style_guide_shows_every_component_that_a_page_uses() -> None:
    missing = {name for name in imported() - NOT_SHOWN if not re.search(rf"\b{name}\(", GUIDE)}
    assert missing == set()


def test_no_page_brings_a_style_of_its_own() -> None:
    """One-off looks are how a portal comes to look like ten."""
    styled = [
        str(path.relative_to(TEMPLATES))
        for path in TEMPLATES.rglob("*.html")
        if re.search(r"<style|\sstyle=", path.read_text())
    ]
    assert styled == []


def test_no_class_is_begun_twice_in_the_stylesheet() -> None:
    """Two components of one name spoil each other where nobody looks."""
    styles = (TEMPLATES.parent / "static" / "airside.css").read_text()
    begun = re.findall(r"^(\.[a-z0-9-]+) {", styles, re.MULTILINE)
    assert [name for name in set(begun) if begun.count(name) > 1] == []
