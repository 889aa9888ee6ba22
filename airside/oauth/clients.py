"""Client authentication: by HTTP Basic or in the body (RFC 6749 §2.3). Some clients send both, which is allowed if
they match. A public client only identifies itself; PKCE protects its codes instead."""

import base64
from datetime import datetime
from typing import TypedDict, TypeGuard
from urllib.parse import unquote_plus

import msgspec
import sqlalchemy as sa

from airside.apps.scopes import Grant
from airside.apps.secrets import is_touch_due, touch_secret
from airside.apps.tables import PUBLIC, SELF_REGISTERED, WORKSPACE, app_secrets, apps
from airside.db.conditions import live
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.db.text_rules import is_storable
from airside.errors import RateLimited
from airside.identity.attempts import FailedAttempts
from airside.oauth.errors import InvalidClient, InvalidRequest, OAuthError, TooManyFailures
from airside.oauth.parameters import Parameters
from airside.runtime.site import Site
from airside.system.credentials import hash_credential

CLIENT_ID_LENGTH = 500  # characters; it may be the URL of a metadata document

_failures = FailedAttempts("client", allowed=60, minutes=1)


class Credentials(msgspec.Struct, frozen=True):
    """The client credentials of a request. `source` is the address it came from."""

    client_id: str
    secret_hash: str | None  # None: it sent no secret, as a public client does
    by_basic: bool
    source: str


class PublicClientRow(TypedDict):
    app_id: str
    scopes: Grant
    registration: str


class ClientRow(PublicClientRow):
    """A client with its secret."""

    secret_id: str
    secret_used_at: datetime | None


class Client(msgspec.Struct, frozen=True):
    """An authenticated app; or a public one, whose client_id anybody can send."""

    app_id: str
    scopes: Grant  # as registered; an empty list means every scope
    registration: str
    secret_id: str | None = None  # None: a public client
    secret_used_at: datetime | None = None

    @property
    def is_public(self) -> bool:
        return self.secret_id is None

    @property
    def is_self_registered(self) -> bool:
        """Whether no admin registered it."""
        return self.registration in SELF_REGISTERED

    @property
    def is_bound_to_resources(self) -> bool:
        """Whether its tokens are bound to the requested resource (RFC 8707)."""
        return self.is_public or self.registration != WORKSPACE


def read_credentials(authorization: str | None, body: Parameters, source: str) -> Credentials:
    """Raises InvalidRequest if header and body contradict each other, InvalidClient if neither has a client_id."""
    if not is_client_authentication(authorization):
        if "client_id" not in body:
            by_basic = authorization is not None  # any Authorization header gets a Basic challenge
            raise InvalidClient("The client must send its client_id and client_secret.", by_basic=by_basic)
        return _credentials(body["client_id"], body.get("client_secret"), by_basic=False, source=source)
    client_id, secret = _parse_basic(authorization)
    if body.get("client_secret", secret) != secret:
        raise InvalidRequest("HTTP Basic and the body send different secrets.")
    if body.get("client_id", client_id) != client_id:
        raise InvalidRequest("HTTP Basic and the body name different clients.")
    return _credentials(client_id, secret, by_basic=True, source=source)


def is_client_authentication(authorization: str | None) -> TypeGuard[str]:
    """Whether the header authenticates a client: an empty one doesn't, nor does a bearer token."""
    scheme = (authorization or "").strip().partition(" ")[0].lower()
    return scheme not in ("", "bearer")


async def authenticate_client(site: Site, credentials: Credentials) -> Client:
    """Raises InvalidClient, and TooManyFailures after too many failures of this client from this source."""
    if credentials.secret_hash is None:
        public = await site.db.fetch_one(_PUBLIC_CLIENT, client_id=credentials.client_id)
        if public is None:
            raise count_failure(site, credentials)
        return Client(public["app_id"], public["scopes"], public["registration"])
    row = await site.db.fetch_one(
        _CLIENT, client_id=credentials.client_id, secret_hash=credentials.secret_hash
    )
    if row is None:
        raise count_failure(site, credentials)
    return Client(row["app_id"], row["scopes"], row["registration"], row["secret_id"], row["secret_used_at"])


def count_failure(site: Site, credentials: Credentials) -> OAuthError:
    """The error to raise, the same for an unknown client and a wrong secret.

    Only failed requests are counted and refused. The right secret (256 bits, so not guessable) always succeeds:
    others at the same address can't lock the client out."""
    key = (site.db.url, credentials.client_id, credentials.source)
    try:
        _failures.check(*key)
    except RateLimited as error:
        return TooManyFailures(error.retry_after)
    _failures.count(*key)
    return InvalidClient(by_basic=credentials.by_basic)


async def record_use(tx: Transaction, site: Site, secret_id: str | None, used_at: datetime | None) -> None:
    """Store when the secret was last used, to the minute; nothing for a public client."""
    if secret_id is not None and is_touch_due(site, used_at):
        await touch_secret(tx, site, secret_id)


def _credentials(client_id: str, secret: str | None, *, by_basic: bool, source: str) -> Credentials:
    # A client_id that is too long or unstorable gets the same error as any unknown client.
    checked_id = client_id if len(client_id) <= CLIENT_ID_LENGTH and is_storable(client_id) else "?"
    # An empty secret counts as absent (RFC 6749 §2.3.1).
    return Credentials(checked_id, hash_credential(secret) if secret else None, by_basic, source)


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
    live(apps),
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
    .where(authenticated),
    ClientRow,
)
_PUBLIC_CLIENT = Statement(
    sa.select(apps.c.id.label("app_id"), apps.c.scopes, apps.c.registration).where(
        apps.c.client_id == sa.bindparam("client_id"),
        apps.c.client_type == PUBLIC,
        live(apps),
    ),
    PublicClientRow,
)
