"""Signs an account of Airside's up and in: forms with a CSRF token, judged by where they redirect and the cookie.

A failed CSRF check answers 200, and a refusal 302 as success does."""

from urllib.parse import parse_qs, urlsplit

from airside.errors import AirsideError
from airside.gateway.client import (
    CSRF_COOKIE,
    SESSION_COOKIE,
    Cookies,
    Reply,
    UpstreamClient,
    UpstreamRefused,
)
from airside.gateway.install_errors import AccountLost, PasswordsOff, refusal_of, require_ok
from airside.gateway.tables import ACCOUNT_PASSWORD, UpstreamAccountRow
from airside.runtime.site import Site

PASSWORDS_OFF, SIGN_UP_OFF, IS_KNOWN, WRONG_PASSWORD = "5056", "5015", "5030", "5065"


class NotInvited(AirsideError):
    """Without an invitation nobody signs up while ENABLE_SIGNUP=0."""


class AlreadyKnown(AirsideError):
    """An account with this e-mail exists: an earlier sign-up had its effect."""


async def require_passwords(client: UpstreamClient) -> None:
    """Raises PasswordsOff before anything is made that couldn't sign in."""
    shown = require_ok(await client.get("/api/instances/"), "read the instance's settings").json()
    if shown.get("config", {}).get("is_email_password_enabled") is False:
        raise PasswordsOff


async def sign_up(client: UpstreamClient, email: str, password: str) -> Cookies:
    """Raises PasswordsOff, NotInvited, AlreadyKnown, UpstreamLimited, UpstreamRefused and Unreachable."""
    return _read_session(await _submit(client, "/auth/sign-up/", email, password), "sign up")


async def sign_in(site: Site, client: UpstreamClient, account: UpstreamAccountRow) -> Cookies:
    """A new session of the account. Raises AccountLost, PasswordsOff, UpstreamLimited, UpstreamRefused and
    Unreachable."""
    password = site.sealer.unseal_once(account["password_sealed"], ACCOUNT_PASSWORD)
    return _read_session(await _submit(client, "/auth/sign-in/", account["email"], password), "sign in")


async def _submit(client: UpstreamClient, path: str, email: str, password: str) -> Reply:
    given = require_ok(await client.get("/auth/get-csrf-token/"), "get a CSRF token")
    form = {"email": email, "password": password, "csrfmiddlewaretoken": str(given.json()["csrf_token"])}
    return await client.send("POST", path, Cookies(csrf=given.cookie(CSRF_COOKIE)), form=form)


def _read_session(reply: Reply, doing: str) -> Cookies:
    code = parse_qs(urlsplit(reply.location).query).get("error_code", [""])[0]
    session = reply.cookie(SESSION_COOKIE)
    if reply.status == 302 and not code and session:
        return Cookies(session=session)
    if code == PASSWORDS_OFF:
        raise PasswordsOff
    if code == SIGN_UP_OFF:
        raise NotInvited
    if code == IS_KNOWN:
        raise AlreadyKnown
    if code == WRONG_PASSWORD:
        raise AccountLost
    raise refusal_of(reply, doing) if reply.status == 429 else UpstreamRefused(reply, doing)
