"""`airside login`, `logout` and `whoami`: signing in to a site by the device grant (RFC 8628)."""

import os
import time
from contextlib import suppress
from typing import Annotated, Any, cast

import typer

from airside.cli.console import Json, print_result
from airside.cli.credentials_file import Credentials, keep_credentials, list_sites, load_credentials
from airside.cli.unusable import Unusable

DEFAULT_URL = "http://127.0.0.1:8000"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
CLIENT_ID = "airside-cli"
REQUEST_SECONDS = 30.0

BaseUrl = Annotated[
    str | None,
    typer.Option(
        help=f"The site's URL. Default: AIRSIDE_BASE_URL, else the signed-in site, else {DEFAULT_URL}."
    ),
]


def login(base_url: BaseUrl = None, as_json: Json = False) -> None:
    """Sign in to a site: show a code to enter in a browser, and wait."""
    url = read_url(base_url)
    server = read_server(url)
    status, device = post(server["device_authorization_endpoint"], client_id=CLIENT_ID)
    if status != 200:
        raise Unusable(f"{url} doesn't let this computer sign in: {describe(device)}")
    typer.echo(f"Open {device['verification_uri_complete']}", err=True)
    typer.echo(f"and check that it shows the code {device['user_code']}", err=True)
    tokens, before = wait_for_tokens(server["token_endpoint"], device), load_credentials(url)
    keep_credentials(url, tokens)
    if before is not None:  # one sign-in per computer: revoke the previous tokens
        with suppress(Unusable):
            end_tokens(server, before)
    print_result({"site": url, **whose(url, tokens)}, as_json=as_json)


def logout(base_url: BaseUrl = None, as_json: Json = False) -> None:
    """Sign out: revoke the tokens of this computer and delete them."""
    url = read_url(base_url)
    kept = get_credentials(url)
    keep_credentials(url, None)
    status, answer = end_tokens(read_server(url), kept)
    if status != 200:
        raise Unusable(f"signed out here, but {url} didn't end the tokens: {describe(answer)}")
    print_result({"site": url, "signed_in": False}, as_json=as_json)


def whoami(base_url: BaseUrl = None, as_json: Json = False) -> None:
    """Show the user that this computer is signed in as."""
    url = read_url(base_url)
    print_result({"site": url, **whose(url, get_credentials(url))}, as_json=as_json)


def end_tokens(server: dict[str, Any], kept: Credentials) -> tuple[int, dict[str, Any]]:
    return post(server["revocation_endpoint"], client_id=CLIENT_ID, token=kept["refresh_token"])


def read_url(base_url: str | None, *, by_sign_in: bool = True) -> str:
    """The site's base URL; `by_sign_in`: defaults to the site that the person is signed in to.

    Raises Unusable, also when they are signed in to several."""
    url = base_url or os.environ.get("AIRSIDE_BASE_URL")
    known = list_sites() if by_sign_in and not url else []
    if len(known) > 1:
        raise Unusable(
            f"signed in to {len(known)} sites: {', '.join(known)}; "
            "say which with --base-url, or set AIRSIDE_BASE_URL"
        )
    url = (url or next(iter(known), DEFAULT_URL)).rstrip("/")
    check_url(url)
    return url


def check_url(url: str) -> None:
    """Raises Unusable unless it is http(s): a site's metadata must not name a local file."""
    if not url.startswith(("https://", "http://")):
        raise Unusable(f"{url} is no address that starts with https:// or http://")


def read_server(url: str) -> dict[str, Any]:
    """The site's metadata; its issuer has to match (RFC 8414 §3.3). Raises Unusable."""
    status, server = send(f"{url}/.well-known/oauth-authorization-server")
    if status != 200 or server.get("issuer") != url:
        raise Unusable(f"{url} is not the address of an Airside site; it may call itself by another one")
    return server


def get_credentials(url: str) -> Credentials:
    """Raises Unusable when this computer isn't signed in."""
    kept = load_credentials(url)
    if kept is None:
        raise Unusable(f"not signed in to {url}; run `airside login --base-url {url}` first")
    return kept


def wait_for_tokens(token_endpoint: str, device: dict[str, Any]) -> Credentials:
    """Poll at the interval that the site allows, until the person has decided (RFC 8628 §3.5). Raises Unusable."""
    interval = device.get("interval", 5)
    while True:
        time.sleep(interval)
        status, answer = post(
            token_endpoint, grant_type=DEVICE_CODE, client_id=CLIENT_ID, device_code=device["device_code"]
        )
        if status == 200:
            return {name: answer[name] for name in ("access_token", "refresh_token")}
        if answer.get("error") == "slow_down":
            interval += 5
        elif answer.get("error") != "authorization_pending":
            raise Unusable(f"not signed in: {describe(answer)}")


def whose(url: str, kept: Credentials) -> dict[str, Any]:
    """The user of the token, which is refreshed when it has expired. Raises Unusable."""
    status, person = ask_who(url, kept)
    if status == 401:
        kept = refresh(url, kept)
        status, person = ask_who(url, kept)
    if status != 200:
        raise Unusable(f"{url} doesn't say who this is: {describe(person)}")
    return {"email": person.get("email"), "name": person.get("display_name")}


def ask_who(url: str, kept: Credentials) -> tuple[int, dict[str, Any]]:
    return send(f"{url}/api/v1/users/me/", Authorization=f"Bearer {kept['access_token']}")


def refresh(url: str, kept: Credentials) -> Credentials:
    """Refresh and store the tokens. Raises Unusable when the site refuses the refresh token."""
    status, answer = post(
        read_server(url)["token_endpoint"],
        grant_type="refresh_token",
        client_id=CLIENT_ID,
        refresh_token=kept["refresh_token"],
    )
    if status != 200:
        raise Unusable(f"no longer signed in to {url}; run `airside login --base-url {url}` again")
    fresh = {name: answer[name] for name in ("access_token", "refresh_token")}
    keep_credentials(url, fresh)
    return fresh


def post(url: str, **fields: str) -> tuple[int, dict[str, Any]]:
    from urllib.parse import urlencode

    return send(url, urlencode(fields).encode())


def send(url: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
    """The response's status and JSON object, empty for any other body. Raises Unusable without a response."""
    import json
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    check_url(url)
    request = Request(url, data=body, headers={"Accept": "application/json", **headers})  # noqa: S310 - check_url
    try:
        with urlopen(request, timeout=REQUEST_SECONDS) as answer:  # noqa: S310
            status, raw = answer.status, answer.read()
    except HTTPError as error:
        status, raw = error.code, error.read()
    except OSError as error:
        raise Unusable(f"can't reach {url}: {getattr(error, 'reason', error)}") from None
    try:
        parsed = json.loads(raw)
    except ValueError:
        return status, {}
    return status, cast(dict[str, Any], parsed) if isinstance(parsed, dict) else {}


def describe(answer: dict[str, Any]) -> str:
    return str(
        answer.get("error_description") or answer.get("detail") or answer.get("error") or "an unknown answer"
    )
