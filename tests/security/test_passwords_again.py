"""Row ID3: what outlives a session is made and shown only after the password is typed again."""

import re
from collections.abc import Iterator

import pytest

from airside.db.base import Row
from airside.portal.routes import portal_routes
from airside.runtime.site import Site
from airside.workspaces.webhooks import create_webhook
from tests.cast import PASSWORD, Cast
from tests.oauth.conftest import AppSide
from tests.portal.visitor import signed_in

HOOK = {"url": "https://courier.example/pager"}
SECRET = re.compile(r"(plane_api_|pln_secret_|plane_wh_|whsec_)[A-Za-z0-9+/=_-]{20,}")


def secret_pages(cast: Cast, webhook: Row) -> Iterator[tuple[str, dict[str, str]]]:
    """Every page that hands out a credential of what there is already, and what is filled in besides."""
    app, hook = (
        f"/acme/settings/applications/{cast.courier['id']}/",
        f"/acme/settings/webhooks/{webhook['id']}/",
    )
    yield "/profile/api-keys/", {"label": "Nightly"}
    yield f"{app}secrets/", {"name": "Server"}
    yield f"{app}webhook-secret/", {}
    yield f"{app}webhook-secret/show/", {}
    yield f"{hook}secret/", {}
    yield f"{hook}replace-secret/", {}


@pytest.mark.parametrize("number", range(6))
async def test_id3_no_page_hands_out_a_credential_to_a_session_alone(app_side: AppSide, number: int) -> None:
    site, cast = app_side.site, app_side.cast
    webhook = (await create_webhook(site, cast.acme["id"], cast.ana["id"], HOOK)).webhook
    path, filled = list(secret_pages(cast, webhook))[number]
    async with signed_in(site, "ana") as ana:
        page = await ana.get(path)
        for asked in ({}, {"password": ""}, {"password": "not the password"}):
            refused = await ana.submit(page, path, **filled, **asked)
            assert (refused.status, SECRET.search(refused.text)) == (422, None)
        shown = await ana.submit(page, path, **filled, password=PASSWORD)
        if shown.location:  # the secret stands on the page that the answer leads to
            shown = await ana.get(shown.location)
        assert SECRET.search(shown.text)


async def test_id3_every_page_that_is_named_after_a_credential_is_tried(site: Site, cast: Cast) -> None:
    """A page that is added to hand one out has to be added to the table above."""
    named = re.compile(r"/(api-keys|(webhook-|replace-)?secrets?)(/show)?$")
    pages = {path for path, _ in portal_routes(site) if named.search(path)}
    assert len(pages) == len(list(secret_pages(cast, {"id": "x"})))
