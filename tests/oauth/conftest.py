"""An app's side of the wire, and a person's side of consent."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import pytest
from falcon import testing

from airside.db.base import Row
from airside.identity.sessions import Session, find_session, start_session
from airside.oauth.authorize import open_consent_request
from airside.oauth.consent import approve, ask
from airside.runtime.site import Site
from tests.cast import REDIRECT_URI, Cast, make_cast
from tests.support.apps import app_of

TOKEN, REVOKE, INSTALLATION = "/auth/o/token/", "/auth/o/revoke-token/", "/auth/o/app-installation/"


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class AppSide:
    """Courier's server, talking to Airside over HTTP."""

    http: Any
    site: Site
    cast: Cast

    @property
    def own(self) -> dict[str, str]:
        return {"client_id": self.cast.client_id, "client_secret": self.cast.client_secret}

    async def send(self, path: str, body: bytes | str, content_type: str, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["Content-Type"] = content_type
        result = await self.http.simulate_post(path, body=body, headers=named)
        return Answer(result.status_code, result.json, dict(result.headers))

    async def post(
        self, path: str, fields: dict[str, Any], *, as_json: bool = False, **headers: str
    ) -> Answer:
        if as_json:
            return await self.send(path, json.dumps(fields), "application/json", **headers)
        return await self.send(path, urlencode(fields), "application/x-www-form-urlencoded", **headers)

    async def token(self, *, as_json: bool = False, **fields: Any) -> Answer:
        """POST to the token endpoint with Courier's own credentials in the body."""
        return await self.post(TOKEN, self.own | fields, as_json=as_json)

    async def bot_token(self, **fields: Any) -> Answer:
        asked = {"grant_type": "client_credentials", "app_installation_id": self.cast.installation["id"]}
        return await self.token(**(asked | fields))

    async def redeem(self, code: str, **fields: Any) -> Answer:
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        return await self.token(**(asked | fields))

    async def refresh(self, refresh_token: str, **fields: Any) -> Answer:
        return await self.token(grant_type="refresh_token", refresh_token=refresh_token, **fields)

    async def revoke(self, token: str) -> Answer:
        return await self.post(REVOKE, self.own | {"token": token})

    async def installation(self, token: str, query: str = "") -> Answer:
        headers = {"Authorization": f"Bearer {token}"}
        result = await self.http.simulate_get(INSTALLATION, query_string=query, headers=headers)
        return Answer(result.status_code, result.json, dict(result.headers))

    async def works(self, token: str) -> bool:
        return (await self.installation(token)).status == 200

    async def code(self, person: Row | None = None, **asked: str) -> str:
        """A code, as Ana's consent gives it."""
        return (await self.consent(person, **asked))["code"]

    async def consent(self, person: Row | None = None, **asked: str) -> dict[str, str]:
        """The parameters that come to the redirect URI after the person agreed."""
        session = await sign_in_as(self.site, person or self.cast.ana)
        request_id = await open_consent_request(self.site, authorize_query(self.cast, **asked))
        await ask(self.site, request_id, session, self.cast.acme["id"])
        return parts_of(await approve(self.site, request_id, session, self.cast.acme["id"]))

    async def user_tokens(self, person: Row | None = None, **asked: str) -> dict[str, Any]:
        answer = await self.redeem(await self.code(person, **asked))
        assert answer.status == 200, answer.body
        return answer.body


def authorize_query(cast: Cast, **asked: str | None) -> str:
    fields = {"client_id": cast.client_id, "response_type": "code", "redirect_uri": REDIRECT_URI} | asked
    return urlencode({name: value for name, value in fields.items() if value is not None})


def parts_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}


def basic(client_id: str, secret: str) -> str:
    joined = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(joined.encode()).decode()


async def sign_in_as(site: Site, person: Row) -> Session:
    session = await find_session(site, await start_session(site, person["id"]))
    assert session is not None
    return session


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


@pytest.fixture
async def app_side(site: Site, cast: Cast) -> AsyncIterator[AppSide]:
    async with testing.ASGIConductor(app_of(site)) as http:
        yield AppSide(http, site, cast)
