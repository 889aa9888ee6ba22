"""`airside login`, `logout` and `whoami`: signing this computer in to a site, by a code typed in a browser."""

import os
import time
from contextlib import suppress
from typing import Annotated, Any

import typer

from airside.cli.console import Json, print_result
from airside.cli.credentials_file import Credentials, keep_credentials, list_sites, load_credentials
from airside.cli.unusable import Unusable

DEFAULT_URL = "http://127.0.0.1:8000"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
CLIENT_ID = "airside-cli"
SECONDS = 30.0  # for one answer

BaseUrl = Annotated[
    str | None,
    typer.Option(
        help=f"The site's address; without it AIRSIDE_BASE_URL, else the one signed in to, else {DEFAULT_URL}."
    ),
]


def login(base_url: BaseUrl = None, as_json: Json = False) -> None:
    """Sign in to a site: shows a code to be typed in a browser, and waits."""
    url = read_url(base_url)
    server = read_server(url)
    status, device = post(server["device_authorization_endpoint"], client_id=CLIENT_ID)
    if status != 200:
        raise Unusable(f"{url} doesn't let this computer sign in: {describe(device)}")
    typer.echo(f"Open {device['verification_uri_complete']}", err=True)
    typer.echo(f"and check that it shows the code {device['user_code']}", err=True)
    tokens, before = wait_for_tokens(server["token_endpoint"], device), load_credentials(url)
    keep_credentials(url, tokens)
    if before is not None:  # one computer has one sign-in
        with suppress(Unusable):
            end_tokens(server, before)
    print_result({"site": url, **whose(url, tokens)}, as_json=as_json)


def logout(base_url: BaseUrl = None, as_json: Json = False) -> None:
    """Sign out: the tokens of this computer end, there and here."""
    url = read_url(base_url)
    kept = get_credentials(url)
    keep_credentials(url, None)
    status, answer = end_tokens(read_server(url), kept)
    if status != 200:
        raise Unusable(f"signed out here, but {url} didn't end the tokens: {describe(answer)}")
    print_result({"site": url, "signed_in": False}, as_json=as_json)


def whoami(base_url: BaseUrl = None, as_json: Json = False) -> None:
    """Say who this computer is signed in as."""
    url = read_url(base_url)
    print_result({"site": url, **whose(url, get_credentials(url))}, as_json=as_json)


def end_tokens(server: dict[str, Any], kept: Credentials) -> tuple[int, dict[str, Any]]:
    return post(server["revocation_endpoint"], client_id=CLIENT_ID, token=kept["refresh_token"])


def read_url(base_url: str | None, *, by_sign_in: bool = True) -> str:
    """The site that is meant; `by_sign_in`: where nothing says so, the one that somebody is signed in to.

    Raises Unusable, also where they are several."""
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
    """Raises Unusable: also what a site's metadata names must not lead to a file of this computer."""
    if not url.startswith(("https://", "http://")):
        raise Unusable(f"{url} is no address that starts with https:// or http://")


def read_server(url: str) -> dict[str, Any]:
    """The site's metadata, which has to be its own (RFC 8414 §3.3). Raises Unusable."""
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
    """Ask as often as the site allows, until the person has answered (RFC 8628 §3.5). Raises Unusable."""
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
    """Who the token stands for; it is refreshed when it has run out. Raises Unusable."""
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
    """The next pair, kept. Raises Unusable when the site doesn't take this one any more."""
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
    """The status and the JSON object of the answer, empty for anything else. Raises Unusable without one."""
    import json
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    check_url(url)
    request = Request(url, data=body, headers={"Accept": "application/json", **headers})  # noqa: S310 - check_url
    try:
        with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            status, raw = answer.status, answer.read()
    except HTTPError as error:
        status, raw = error.code, error.read()
    except OSError as error:
        raise Unusable(f"can't reach {url}: {getattr(error, 'reason', error)}") from None
    try:
        parsed = json.loads(raw)
    except ValueError:
        return status, {}
    return status, parsed if isinstance(parsed, dict) else {}


def describe(answer: dict[str, Any]) -> str:
    return str(
        answer.get("error_description") or answer.get("detail") or answer.get("error") or "an unknown answer"
    )
