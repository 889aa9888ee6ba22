"""The check, one step after another: the instance, then the proxy, then what only an admin's session shows."""

import secrets
from datetime import datetime, timedelta
from typing import Any

import msgspec

from airside.gateway.check.findings import Finding, fine, unknown, wrong
from airside.gateway.check.instance import (
    Instance,
    judge_clock,
    judge_public_origin,
    judge_rate_limit,
    judge_same_instance,
    judge_scheme,
    judge_sign_in,
    judge_version,
    judge_webhook,
    read_instance,
)
from airside.gateway.check.proxy_lines import proxy_lines
from airside.gateway.check.reach import NAME, NONCE, check_paths, is_ours
from airside.gateway.check.requests import Reply, Requests
from airside.settings import Settings
from airside.system.clock import Clock
from airside.system.credentials import Sealer

INSTANCES = "/api/instances/"
KEY_LABEL = "airside upstream check"
KEY_MINUTES = 10
NEEDS_SESSION = (
    "Set AIRSIDE_UPSTREAM_SESSION to an admin's session-id cookie, and name a workspace with --workspace."
)


class Given(msgspec.Struct, kw_only=True):
    """What the operator gives a check."""

    address: str = "airside.internal:8000"  # at which the proxy and the Community Edition reach Airside
    session: str = ""  # an admin's session-id cookie
    workspace: str = ""  # its slug


async def check_upstream(
    settings: Settings, given: Given, requests: Requests, sealers: list[Sealer], clock: Clock
) -> list[Finding]:
    """Every finding, in the order in which they matter."""
    reply = await requests.ask("GET", INSTANCES)
    found = read_instance(reply.body)
    if found is None:
        return [_unreachable(settings, reply)]
    findings = [fine("address", settings.upstream_api_origin)]
    findings += [
        judge_version(found),
        judge_sign_in(found),
        judge_clock(reply.headers.get("Date"), clock.now()),
    ]
    findings.append(judge_public_origin(found, settings.origin))
    csrf = await requests.ask("GET", "/auth/get-csrf-token/")
    findings.append(judge_scheme(csrf.cookies, settings.origin))
    findings += await _check_proxy(settings, given, requests, sealers, found)
    return findings + await _check_as_admin(given, requests, clock.now())


def _unreachable(settings: Settings, reply: Reply) -> Finding:
    seen = (
        f"{settings.upstream_api_origin}{INSTANCES} answers {reply.status}"
        if reply.status
        else reply.body.decode()
    )
    return wrong(
        "address",
        seen,
        "Set AIRSIDE_UPSTREAM_URL to the Community Edition's origin, and AIRSIDE_UPSTREAM_API to where its API is"
        " reached from here, if that is elsewhere.",
    )


async def _check_proxy(
    settings: Settings, given: Given, requests: Requests, sealers: list[Sealer], found: Instance
) -> list[Finding]:
    public = await requests.ask_public(INSTANCES)
    findings = [judge_same_instance(found, public.body, settings.origin)]
    missed = [path for path in check_paths(settings) if not await _reaches(requests, sealers, path)]
    if not settings.pages_prefix:
        findings.append(
            wrong(
                "pages",
                "AIRSIDE_PAGES_PREFIX is empty",
                "Set AIRSIDE_PAGES_PREFIX=/airside: the root is the other's.",
            )
        )
    if missed:
        places = ", ".join(path.removesuffix(NAME) for path in missed)
        change = "Send these paths to Airside, before the Community Edition's own rules."
        lines = proxy_lines(settings.pages_prefix, given.address)
        findings.append(
            wrong("proxy rules", f"{settings.origin} doesn't bring {places} to Airside", change, lines)
        )
    else:
        findings.append(fine("proxy rules", "all of Airside's paths reach it"))
    return [*findings, await _check_loop(settings, requests, sealers)]


async def _reaches(requests: Requests, sealers: list[Sealer], path: str) -> bool:
    nonce = secrets.token_hex(16)
    reply = await requests.ask_public(f"{path}?{NONCE}={nonce}")
    return reply.status == 200 and is_ours(sealers, nonce, reply.body)


async def _check_loop(settings: Settings, requests: Requests, sealers: list[Sealer]) -> Finding:
    """An address that leads through the proxy would bring Airside's own requests back to it."""
    nonce = secrets.token_hex(16)
    reply = await requests.ask("GET", f"/api/v1/{NAME}/?{NONCE}={nonce}")
    if reply.status == 200 and is_ours(sealers, nonce, reply.body):
        return wrong(
            "way to the API",
            f"{settings.upstream_api_origin}/api/v1/ leads back to Airside",
            "Set AIRSIDE_UPSTREAM_API to the API's own address behind the proxy, such as http://api:8000.",
        )
    return fine("way to the API", "past the proxy's rules")


async def _check_as_admin(given: Given, requests: Requests, now: datetime) -> list[Finding]:
    if not (given.session and given.workspace):
        return [unknown(check, "not checked", NEEDS_SESSION) for check in ("rate limit", "webhook host")]
    cookie = {"Cookie": f"session-id={given.session}"}
    me = await requests.ask("GET", "/api/users/me/", headers=cookie)
    if me.status != 200:
        change = "Sign in again, and copy the cookie anew."
        return [wrong("session", f"/api/users/me/ answers {me.status}", change)]
    return [
        await _check_rate_limit(requests, cookie, now),
        await _check_webhook(given, requests, cookie),
    ]


async def _check_rate_limit(requests: Requests, cookie: dict[str, str], now: datetime) -> Finding:
    """By the first request of a key that is deleted again, and ends by itself."""
    ends = (now + timedelta(minutes=KEY_MINUTES)).isoformat()
    made = await requests.ask(
        "POST", "/api/users/api-tokens/", {"label": KEY_LABEL, "expired_at": ends}, cookie
    )
    key = _decode(made.body)
    if made.status != 201 or "token" not in key:
        return unknown("rate limit", f"no key could be made: {made.status}")
    try:
        asked = await requests.ask("GET", "/api/v1/users/me/", headers={"X-API-Key": key["token"]})
        return judge_rate_limit(asked.headers)
    finally:
        await requests.ask("DELETE", f"/api/users/api-tokens/{key['id']}/", headers=cookie)


async def _check_webhook(given: Given, requests: Requests, cookie: dict[str, str]) -> Finding:
    """By one that is switched off, and deleted again."""
    hooks = f"/api/workspaces/{given.workspace}/webhooks/"
    url = f"http://{given.address}/{NAME}/{secrets.token_hex(4)}"
    made = await requests.ask("POST", hooks, {"url": url, "is_active": False}, cookie)
    if made.status in (403, 404):
        return wrong(
            "webhook host",
            f"{hooks} answers {made.status}",
            "The session must be of an admin of --workspace.",
        )
    hook_id = _decode(made.body).get("id")
    if made.status == 201 and hook_id:
        await requests.ask("DELETE", f"{hooks}{hook_id}/", headers=cookie)
    return judge_webhook(made.status, made.body, url)


def _decode(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}  # type: ignore[return-value]
