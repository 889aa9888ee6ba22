"""Taking a listing to another instance and in: what goes along, what doesn't, and files that mean harm."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from airside.apps.tables import apps
from airside.assets.tables import assets
from airside.db.base import Row
from airside.developer.registration import update_app
from airside.errors import Forbidden, Invalid, NotFound, Refused
from airside.marketplace.content import read_content
from airside.marketplace.drafts import add_screenshot
from airside.marketplace.export_bundle import SIZE_LIMIT, export_listing
from airside.marketplace.find import find_listing, get_listing_by_slug
from airside.marketplace.import_bundle import receive_listing
from airside.marketplace.review import approve_listing
from airside.marketplace.submit import submit_listing
from airside.marketplace.tables import listings
from airside.runtime.site import Site
from tests.cast import Cast
from tests.marketplace.scenes import SCOPES, audited, get_courier, list_another, make_listed, make_ready
from tests.support.databases import fresh_database
from tests.support.pictures import make_png

PICTURE = base64.b64encode(make_png()).decode()


async def make_parcel(site: Site, cast: Cast, **texts: Any) -> dict[str, Any]:
    """Courier's, with a screenshot, as it was exported."""
    app = await make_ready(site, cast, **texts)
    await add_screenshot(site, app, cast.ana["id"], make_png(), "The room")
    await submit_listing(site, app, cast.ana["id"])
    listing = await approve_listing(site, "courier", None)
    return json.loads(await export_listing(site, listing))


async def receive(site: Site, cast: Cast, parcel: Any) -> Any:
    data = parcel if isinstance(parcel, bytes) else json.dumps(parcel).encode()
    return await receive_listing(site, data, cast.other["id"], cast.zoe["id"])


async def test_a_listing_arrives_whole_with_ids_and_secrets_of_its_own(
    site: Site, cast: Cast, olga: Row
) -> None:
    parcel = await make_parcel(site, cast)
    received = await receive(site, cast, parcel)
    app = received.made.app
    assert app["workspace_id"] == cast.other["id"]
    assert app["client_id"] != cast.courier["client_id"]
    assert received.made.client_secret
    assert (app["name"], app["scopes"]) == ("Courier", SCOPES)
    assert app["redirect_uris"] == cast.courier["redirect_uris"]
    content = read_content(received.listing["content"])
    assert content.tagline == "Posts every change to the chat room that cares"
    assert [(shot.width, shot.caption) for shot in content.screenshots] == [(640, "The room")]
    listing = await find_listing(site.db, cast.other["id"], app["id"])
    assert listing is not None
    assert (listing["state"], listing["standing"]) == ("draft", "unlisted")
    assert listing["imported_from"] == site.settings.origin
    assert (await audited(site)).count("listing.imported") == 1
    sent = await submit_listing(site, app, cast.zoe["id"])
    assert (await approve_listing(site, sent["slug"], olga["id"]))["standing"] == "listed"


async def test_no_id_and_no_secret_goes_along(site: Site, cast: Cast) -> None:
    text = json.dumps(await make_parcel(site, cast))
    row = await get_courier(site, cast)
    for secret in (
        cast.courier["client_id"],
        cast.courier["id"],
        cast.acme["id"],
        cast.ana["id"],
        cast.client_secret,
        cast.webhook_secret,
        row["webhook_secret_sealed"],
    ):
        assert secret not in text


async def test_what_goes_along_is_the_approved_version(site: Site, cast: Cast) -> None:
    await make_listed(site, cast)
    changes = {"name": "Mole", "redirect_uris": ["https://mole.example/"], "scopes": ["projects:write"]}
    await update_app(site, cast.courier["id"], cast.ana["id"], changes)
    parcel = json.loads(await export_listing(site, await get_listing_by_slug(site.db, "courier")))
    assert parcel["app"]["name"] == "Courier"
    assert parcel["app"]["redirect_uris"] == cast.courier["redirect_uris"]
    assert parcel["app"]["scopes"] == SCOPES


async def test_private_and_unlisted_ones_stay_here(site: Site, cast: Cast) -> None:
    app = await make_ready(site, cast)
    listing = await find_listing(site.db, cast.acme["id"], app["id"])
    assert listing is not None
    with pytest.raises(Refused):
        await export_listing(site, listing)
    private = await list_another(site, cast, "Abacus", audience="instance")
    with pytest.raises(Refused, match="this instance only"):
        await export_listing(site, private)


async def test_only_an_operator_who_is_admin_there_takes_one_in(site: Site, cast: Cast, olga: Row) -> None:
    data = json.dumps(await make_parcel(site, cast)).encode()
    with pytest.raises(Forbidden):
        await receive_listing(site, data, cast.acme["id"], cast.ana["id"])  # admin, no operator
    with pytest.raises(NotFound):
        await receive_listing(site, data, cast.acme["id"], olga["id"])  # operator, no member
    with pytest.raises(Forbidden):
        await receive_listing(site, data, cast.acme["id"], cast.ben["id"], is_command=True)


def deep(depth: int) -> bytes:
    return b'{"app":' * depth + b"1" + b"}" * depth


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "no json": b"listing: yes",
    "not utf-8": b'{"format": "\xff\xfe"}',
    "a list": b"[]",
    "null": b"null",
    "deep": deep(5_000),
    "deeper": b"[" * 100_000,
    "a number for a file": b"1e999",
    "a picture": make_png(),
    "too large": b" " * (SIZE_LIMIT + 1),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_what_is_no_listing_is_refused_and_leaves_nothing(
    site: Site, cast: Cast, olga: Row, kind: str
) -> None:
    await check_refused(site, cast, HOSTILE[kind])


BAD: dict[str, dict[str, Any]] = {
    "another format": {"format": "airside-listing/2"},
    "a format of lines": {"format": "airside-listing/1\n"},
    "no time": {"exported_at": "yesterday"},
    "an origin of lines": {"exported_from": "https://a.example\n<script>"},
    "an endless origin": {"exported_from": "https://" + "a" * 10_000},
    "an app that is a list": {"app": []},
    "an app of nobody": {"app": {}},
    "a field that no app has": {
        "app": {"name": "X", "redirect_uris": ["https://x.example/"], "is_admin": True}
    },
    "another's client id": {"app": {"name": "X", "redirect_uris": ["https://x.example/"], "client_id": "x"}},
    "a logo elsewhere": {
        "app": {"name": "X", "redirect_uris": ["https://x.example/"], "logo_url": "https://evil.example/"}
    },
    "a redirect to a script": {"app": {"name": "X", "redirect_uris": ["javascript:alert(1)"]}},
    "a webhook into the network": {
        "app": {
            "name": "X",
            "redirect_uris": ["https://x.example/"],
            "webhook_url": "http://169.254.169.254/",
        }
    },
    "a name that is none": {"app": {"name": {"a": 1}, "redirect_uris": ["https://x.example/"]}},
    "a scope that there isn't": {
        "app": {"name": "X", "redirect_uris": ["https://x.example/"], "scopes": ["admin:write"]}
    },
    "a listing of another kind": {"listing": {"category": 7, "tagline": "", "description": ""}},
    "a shelf that there isn't": {"listing": {"category": "x", "tagline": "", "description": ""}},
    "an endless description": {"listing": {"category": "chat", "tagline": "", "description": "x" * 100_000}},
    "a link to a script": {
        "listing": {
            "category": "chat",
            "tagline": "",
            "description": "",
            "support_url": "javascript:alert(1)",
        }
    },
    "a logo that is none": {"logo": base64.b64encode(b"<svg onload=alert(1)>").decode()},
    "a logo that isn't base64": {"logo": "%%%"},
    "a screenshot that is none": {"screenshots": [{"data": base64.b64encode(b"<html>").decode()}]},
    "too many screenshots": {"screenshots": [{"data": PICTURE}] * 6},
    "a caption of lines": {"screenshots": [{"data": PICTURE, "caption": "a\nb"}]},
    "a path for a picture": {"screenshots": [{"data": "../../etc/passwd"}]},
    "a null character": {"listing": {"category": "chat", "tagline": "a\x00b", "description": ""}},
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_file_that_was_tampered_with_is_refused_and_leaves_nothing(
    site: Site, cast: Cast, olga: Row, kind: str
) -> None:
    parcel = {
        "format": "airside-listing/1",
        "exported_from": "https://other.example",
        "exported_at": "2026-01-31T12:00:00Z",
        "app": {"name": "X", "redirect_uris": ["https://x.example/"]},
        "listing": {"category": "chat", "tagline": "", "description": ""},
    }
    await check_refused(site, cast, json.dumps(parcel | BAD[kind]).encode())
    assert (await receive(site, cast, parcel)).listing["state"] == "draft", "and only for that"


async def check_refused(site: Site, cast: Cast, data: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        await receive(site, cast, data)
    assert list(refused.value.fields) == ["file"]
    assert len(await site.db.find_all(apps)) == 1
    assert await site.db.find_all(listings) == []
    assert await site.db.find_all(assets) == []
    assert not list((site.settings.data / "uploads").glob("*"))


async def test_another_instance_really_takes_it(site: Site, cast: Cast, tmp_path: Path) -> None:
    """With a database, folders, keys and an origin of its own."""
    from airside.identity.users import set_operator
    from airside.settings import Settings
    from airside.system.credentials import Sealer
    from tests.cast import make_cast

    parcel = json.dumps(await make_parcel(site, cast)).encode()
    (tmp_path / "elsewhere").mkdir()
    async with fresh_database("sqlite", tmp_path / "elsewhere") as db:
        settings = Settings(data=tmp_path / "elsewhere", database_url=db.url, secret_key="1" * 64)
        there = Site(settings=settings, db=db, sealer=Sealer("1" * 64), clock=site.clock)
        people = await make_cast(there)
        await set_operator(there, people.zoe["id"], True)
        received = await receive_listing(there, parcel, people.other["id"], people.zoe["id"])
        await submit_listing(there, received.made.app, people.zoe["id"])
        listed = await approve_listing(there, received.listing["slug"], people.zoe["id"])
        again = json.loads(await export_listing(there, listed))
    original = json.loads(parcel)
    for part in ("listing", "logo", "screenshots"):
        assert again[part] == original[part]
    assert again["app"] == original["app"]
