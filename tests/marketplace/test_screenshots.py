"""Uploaded screenshots: which are accepted and which are refused, and when their files are deleted."""

import pytest

from airside.assets.measure import measure_picture
from airside.assets.storage import read_file
from airside.assets.tables import assets
from airside.db.base import new_id
from airside.errors import Invalid, NotFound
from airside.marketplace.content import MAX_SCREENSHOTS, read_content
from airside.marketplace.drafts import add_screenshot, move_screenshot, remove_screenshot
from airside.marketplace.pictures import SIZE_LIMIT
from airside.marketplace.review import approve_listing
from airside.marketplace.submit import submit_listing
from airside.runtime.site import Site
from tests.cast import Cast
from tests.marketplace.scenes import make_ready
from tests.support.pictures import make_jpeg, make_png, make_webp

PNG = make_png()
HOSTILE = {
    "nothing": b"",
    "html": b"<html><script>alert(1)</script></html>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "gif": b"GIF89a\x80\x02\x90\x01\x00\x00\x00;",
    "php with a png's head": b"\x89PNG\r\n\x1a\n<?php system($_GET[0]); ?>",
    "png and html behind it": PNG + b"<script>alert(1)</script>" * 10,
    "png cut short": PNG[:20],
    "png of no size": make_png(1, 1).replace(b"\0\0\0\1\0\0\0\1", b"\0\0\0\0\0\0\0\0", 1),
    "png of a bomb": PNG[:16] + b"\0\0\xff\xff\0\0\xff\xff" + PNG[24:],
    "jpeg without a frame": b"\xff\xd8\xff\xe0" + b"\0\x10" * 40,
    "jpeg of lies": b"\xff\xd8\xff\xe0\xff\xff" + b"\xff" * 20,
    "webp of nothing": b"RIFF\x04\0\0\0WEBP",
    "webp of another kind": b"RIFF\x40\0\0\0WEBPJUNK" + b"\0" * 40,
    "zip": b"PK\x03\x04" + b"\0" * 60,
    "exe": b"MZ" + b"\0" * 60,
    "too small to see": make_png(100, 100),
    "too wide": make_jpeg(5000, 300),
    "too heavy": make_jpeg() + b"\0" * SIZE_LIMIT,
}


@pytest.mark.parametrize("make", [make_png, make_jpeg, make_webp])
def test_a_picture_is_measured_by_its_own_header(make) -> None:
    picture = measure_picture(make(801, 479))
    assert picture is not None
    assert (picture.width, picture.height) == (801, 479)
    assert picture.content_type == f"image/{make.__name__.removeprefix('make_')}"


@pytest.mark.parametrize("kind", HOSTILE)
async def test_what_is_no_proper_picture_is_refused_and_leaves_nothing(
    site: Site, cast: Cast, kind: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await add_screenshot(site, cast.courier, cast.ana["id"], HOSTILE[kind])
    assert list(refused.value.fields) == ["screenshot"]
    assert await site.db.find_all(assets) == []
    assert not list((site.settings.data / "uploads").glob("*"))


async def test_screenshots_come_in_order_and_no_more_than_a_few(site: Site, cast: Cast) -> None:
    ana = cast.ana["id"]
    for number in range(MAX_SCREENSHOTS):
        listing = await add_screenshot(site, cast.courier, ana, make_png(400 + number), f"No. {number}")
    with pytest.raises(Invalid):
        await add_screenshot(site, cast.courier, ana, make_png())
    kept = (site.settings.data / "uploads").iterdir()
    assert len([path for path in kept if path.is_file()]) == MAX_SCREENSHOTS
    shots = read_content(listing["content"]).screenshots
    listing = await move_screenshot(site, cast.courier, ana, shots[2].asset_id)
    listing = await move_screenshot(site, cast.courier, ana, shots[0].asset_id)
    assert [shot.width for shot in read_content(listing["content"]).screenshots] == [400, 402, 401, 403, 404]
    for act in (move_screenshot, remove_screenshot):
        with pytest.raises(NotFound):
            await act(site, cast.courier, ana, new_id())


async def test_bytes_stay_as_long_as_any_version_shows_them(site: Site, cast: Cast) -> None:
    app, ana = await make_ready(site, cast), cast.ana["id"]
    listing = await add_screenshot(site, app, ana, PNG, "The board")
    [shot] = read_content(listing["content"]).screenshots
    await submit_listing(site, app, ana)
    await approve_listing(site, listing["slug"], None)
    await remove_screenshot(site, app, ana, shot.asset_id)
    assert await read_file(site, shot.asset_id) == PNG, "the public version shows it"
    await submit_listing(site, app, ana)
    await approve_listing(site, listing["slug"], None)
    assert await read_file(site, shot.asset_id) is None
    row = await site.db.find(assets, id=shot.asset_id)
    assert row is not None
    assert row["deleted_at"] is not None
