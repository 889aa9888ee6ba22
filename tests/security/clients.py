"""Clients of every kind, and what each of them sends."""

from typing import Any

from airside.apps.registry import NewApp, create_app
from airside.apps.tables import apps
from airside.apps.unowned import new_unowned_app
from airside.db.base import Row
from airside.runtime.site import Site
from tests.cast import REDIRECT_URI, Cast
from tests.oauth.conftest import TOKEN, Answer, AppSide
from tests.oauth.test_authorization_code import CHALLENGE, VERIFIER

PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


async def make_public(site: Site, cast: Cast, **fields: Any) -> Row:
    """A public app, registered in Acme by Ana."""
    params = {"name": "Pocket", "redirect_uris": [REDIRECT_URI], "client_type": "public"} | fields
    made: NewApp = await create_app(
        site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=params
    )
    assert made.client_secret == ""
    return made.app


async def make_unowned(site: Site, registration: str, **fields: Any) -> Row:
    """An app that no workspace registered."""
    params = {"name": "Self made", "redirect_uris": [REDIRECT_URI], "client_type": "public"} | fields
    app = new_unowned_app(site, registration, f"{registration}-client", params)
    async with site.db.transaction() as tx:
        await tx.insert(apps, app)
    return app


async def public_code(app_side: AppSide, app: Row, **asked: str) -> str:
    return await app_side.code(client_id=app["client_id"], **(PKCE | asked))


async def redeem_publicly(app_side: AppSide, app: Row, code: str, **fields: str) -> Answer:
    params = {
        "grant_type": "authorization_code",
        "client_id": app["client_id"],
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    } | fields
    return await app_side.post(TOKEN, {name: value for name, value in params.items() if value})


async def public_tokens(app_side: AppSide, app: Row, **asked: str) -> dict[str, Any]:
    answer = await redeem_publicly(app_side, app, await public_code(app_side, app, **asked))
    assert answer.status == 200, answer.body
    return answer.body


async def refresh_publicly(app_side: AppSide, app: Row, refresh_token: str, **fields: str) -> Answer:
    params = {"grant_type": "refresh_token", "client_id": app["client_id"], "refresh_token": refresh_token}
    return await app_side.post(TOKEN, params | fields)
