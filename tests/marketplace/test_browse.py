"""What people find in the marketplace."""

import pytest

from airside.errors import NotFound
from airside.installations.install import install_app
from airside.marketplace.browse import count_by_category, get_listed, list_listed
from airside.marketplace.snapshot import read_snapshot
from airside.runtime.site import Site
from tests.cast import Cast
from tests.marketplace.scenes import get_courier, list_another, make_listed


async def names(site: Site, **search: object) -> list[str]:
    rows = await list_listed(site.db, limit=50, **search)  # pyright: ignore[reportArgumentType]
    return [read_snapshot(row["published"]).name for row in rows]


async def test_apps_are_found_by_words_and_shelf_most_installed_first(site: Site, cast: Cast) -> None:
    await list_another(site, cast, "Abacus", category="planning", tagline="Counts 100% of the hours_spent")
    await make_listed(site, cast)
    await install_app(site, await get_courier(site, cast), cast.other["id"], cast.zoe["id"])
    assert await names(site) == ["Courier", "Abacus"]
    assert [row["installs"] for row in await list_listed(site.db, limit=50)] == [2, 0]
    assert await names(site, search="HOURS counts") == ["Abacus"]
    assert await names(site, search="sons chat") == ["Courier"]
    assert await names(site, category="planning") == ["Abacus"]
    assert await names(site, search="courier", category="reports") == []
    assert await names(site, offset=1) == ["Abacus"]
    assert await count_by_category(site.db) == {"chat": 1, "planning": 1}


@pytest.mark.parametrize("odd", ["100%", "hours_spent", "\\", "%", "_", "'; --", "\x00", "x" * 500, "\ud800"])
async def test_a_search_takes_any_text_as_words(site: Site, cast: Cast, odd: str) -> None:
    await list_another(site, cast, "Abacus", tagline="Counts 100% of the hours_spent")
    await list_another(site, cast, "Beads", tagline="Counts the hoursXspent, 100 of them")
    found = await names(site, search=odd)
    wanted = {"100%": ["Abacus"], "hours_spent": ["Abacus"], "%": ["Abacus"], "_": ["Abacus"]}
    nothing_asked = ["Abacus", "Beads"]
    assert found == wanted.get(odd, nothing_asked if odd in ("\x00", "\ud800") else [])


async def test_a_private_listing_is_for_people_of_this_instance(site: Site, cast: Cast) -> None:
    private = await make_listed(site, cast, audience="instance")
    await list_another(site, cast, "Abacus")
    assert await names(site) == ["Abacus", "Courier"] or await names(site) == ["Courier", "Abacus"]
    assert await names(site, is_stranger=True) == ["Abacus"]
    assert await count_by_category(site.db, is_stranger=True) == {"chat": 1}
    assert (await get_listed(site.db, private["slug"]))["slug"] == "courier"
    with pytest.raises(NotFound):
        await get_listed(site.db, private["slug"], is_stranger=True)
