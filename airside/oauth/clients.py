"""Client authentication: by HTTP Basic or in the body (RFC 6749 §2.3). Both at once only where they name the same
client and secret, as clients in the wild do. Public clients only say who they are, and their codes are held by PKCE
instead."""

import base64
from datetime import datetime
from typing import TypeGuard
from urllib.parse import unquote_plus

import msgspec
import sqlalchemy as sa

from airside.apps.secrets import is_touch_due, touch_secret
from airside.apps.tables import PUBLIC, SELF_REGISTERED, WORKSPACE, app_secrets, apps
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.errors import RateLimited
from airside.identity.attempts import FailedAttempts
from airside.identity.storable import is_storable
from airside.oauth.errors import InvalidClient, InvalidRequest, OAuthError, TooManyFailures
from airside.oauth.parameters import Parameters
from airside.oauth.scopes import Grant
from airside.runtime.credentials import hash_credential
from airside.runtime.site import Site

CLIENT_ID_LENGTH = 500  # characters; it may be the URL of a metadata document

_failures = FailedAttempts("client", allowed=60, minutes=1)


class Credentials(msgspec.Struct, frozen=True):
    """What a request says about who its client is. `source` is the address that it came from."""

    client_id: str
    secret_hash: str | None  # None: it sent no secret, as a public client does
    by_basic: bool
    source: str


class Client(msgspec.Struct, frozen=True):
    """An authenticated app, or a public one, which anybody can say to be."""

    app_id: str
    scopes: Grant  # as registered; none means everything
    registration: str
    secret_id: str | None = None  # None: a public client
    secret_used_at: datetime | None = None

    @property
    def is_public(self) -> bool:
        return self.secret_id is None

    @property
    def is_self_registered(self) -> bool:
        """Whether nobody answers for it."""
        return self.registration in SELF_REGISTERED

    @property
    def is_bound_to_resources(self) -> bool:
        """Whether its tokens are for the one resource that it names (RFC 8707)."""
        return self.is_public or self.registration != WORKSPACE


def read_credentials(authorization: str | None, body: Parameters, source: str) -> Credentials:
    """Raises InvalidRequest for two methods that differ, InvalidClient for none."""
    if not is_client_authentication(authorization):
        if "client_id" not in body:
            by_basic = authorization is not None  # whatever was tried is answered with what works
            raise InvalidClient("The client must send its client_id and client_secret.", by_basic=by_basic)
        return _credentials(body["client_id"], body.get("client_secret"), by_basic=False, source=source)
    client_id, secret = _parse_basic(authorization)
    if body.get("client_secret", secret) != secret:
        raise InvalidRequest("HTTP Basic and the body send different secrets.")
    if body.get("client_id", client_id) != client_id:
        raise InvalidRequest("HTTP Basic and the body name different clients.")
    return _credentials(client_id, secret, by_basic=True, source=source)


def is_client_authentication(authorization: str | None) -> TypeGuard[str]:
    """Whether the header says who the client is: an empty one doesn't, nor does a token that is sent along."""
    scheme = (authorization or "").strip().partition(" ")[0].lower()
    return scheme not in ("", "bearer")


async def authenticate_client(site: Site, credentials: Credentials) -> Client:
    """Raises InvalidClient, and TooManyFailures after too many of this client from this source."""
    if credentials.secret_hash is None:
        row = await site.db.fetch_one(_PUBLIC_CLIENT, client_id=credentials.client_id)
    else:
        row = await site.db.fetch_one(
            _CLIENT, client_id=credentials.client_id, secret_hash=credentials.secret_hash
        )
    if row is None:
        raise count_failure(site, credentials)
    return Client(**row)


def count_failure(site: Site, credentials: Credentials) -> OAuthError:
    """The error to raise, the same for an unknown client and a wrong secret.

    Only failures are counted and refused: with the right secret, which has 256 bits and can't be guessed, a client
    is let in whatever strangers do in its name at the same address."""
    key = (site.db.url, credentials.client_id, credentials.source)
    try:
        _failures.check(*key)
    except RateLimited as error:
        return TooManyFailures(error.retry_after)
    _failures.count(*key)
    return InvalidClient(by_basic=credentials.by_basic)


async def record_use(tx: Transaction, site: Site, secret_id: str | None, used_at: datetime | None) -> None:
    """Remember when the secret, if there is one, was last used, to the minute."""
    if secret_id is not None and is_touch_due(site, used_at):
        await touch_secret(tx, site, secret_id)


def _credentials(client_id: str, secret: str | None, *, by_basic: bool, source: str) -> Credentials:
    # An id too long or unstorable is nobody's; it goes the same way as any other unknown client.
    known_form = client_id if len(client_id) <= CLIENT_ID_LENGTH and is_storable(client_id) else "?"
    # An empty secret is none (RFC 6749 §2.3.1).
    return Credentials(known_form, hash_credential(secret) if secret else None, by_basic, source)


def _parse_basic(authorization: str) -> tuple[str, str]:
    """Both parts are form-encoded before they are joined (RFC 6749 §2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        if not colon:
            raise ValueError
        return unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError:
        raise InvalidClient("The Authorization header is not valid HTTP Basic.", by_basic=True) from None


authenticated = sa.and_(
    apps.c.client_id == sa.bindparam("client_id"),
    apps.c.deleted_at.is_(None),
    app_secrets.c.secret_hash == sa.bindparam("secret_hash"),
    app_secrets.c.ended_at.is_(None),
)
client_columns = (
    apps.c.id.label("app_id"),
    apps.c.scopes,
    apps.c.registration,
    app_secrets.c.id.label("secret_id"),
    app_secrets.c.last_used_at.label("secret_used_at"),
)
_CLIENT = Statement(
    sa.select(*client_columns)
    .join_from(apps, app_secrets, app_secrets.c.app_id == apps.c.id)
    .where(authenticated)
)
_PUBLIC_CLIENT = Statement(
    sa.select(apps.c.id.label("app_id"), apps.c.scopes, apps.c.registration).where(
        apps.c.client_id == sa.bindparam("client_id"),
        apps.c.client_type == PUBLIC,
        apps.c.deleted_at.is_(None),
    )
)
