"""What is judged by what the Community Edition says of itself, without any credential."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from airside.gateway.check.findings import Finding, fine, unknown, wrong

SEEN_VERSIONS = ("1.3.1",)  # those against which Airside's requests were recorded
NOT_SEEN = "1.4 and 1.5 of November 2026 could not be run"
MAX_SKEW_SECONDS = 5  # ends of tokens are set in the future by minutes; signatures are as old as that


class Config(msgspec.Struct):
    """Of GET /api/instances/."""

    is_email_password_enabled: bool
    enable_signup: bool
    app_base_url: str = ""


class Described(msgspec.Struct):
    instance_id: str
    current_version: str
    edition: str = ""
    is_setup_done: bool = True


class Instance(msgspec.Struct):
    """The answer's parts that matter here."""

    config: Config
    instance: Described


def read_instance(body: bytes) -> Instance | None:
    """None for anything else, such as a page."""
    try:
        return msgspec.json.decode(body, type=Instance)
    except msgspec.MsgspecError:
        return None


def judge_version(found: Instance) -> Finding:
    version = found.instance.current_version.removeprefix("v")
    if found.instance.edition not in ("", "PLANE_COMMUNITY"):
        return wrong(
            "version",
            f"{version}, {found.instance.edition}",
            "Airside stands in front of Community Editions.",
        )
    if version in SEEN_VERSIONS:
        return fine("version", version)
    return unknown(
        "version",
        version,
        f"Airside was tried with {', '.join(SEEN_VERSIONS)}; {NOT_SEEN}."
        " `airside upstream check --contract` compares what this one answers.",
    )


def judge_sign_in(found: Instance) -> Finding:
    if not found.instance.is_setup_done:
        return wrong(
            "sign-in", "the instance isn't set up", "Open /god-mode/ of the Community Edition, and set it up."
        )
    if found.config.is_email_password_enabled:
        return fine("sign-in", "e-mail and password are on")
    return wrong(
        "sign-in",
        "e-mail and password are off",
        "Switch them on in /god-mode/authentication/ while an app is installed, and off again afterwards: an app's"
        " account signs up with a password. Sessions and keys that exist go on working.",
    )


def judge_public_origin(found: Instance, origin: str) -> Finding:
    """Its own idea of where people reach it must be Airside's."""
    own = found.config.app_base_url.rstrip("/")
    if own in ("", origin):
        return fine("public origin", own or origin)
    return wrong(
        "public origin",
        f"the Community Edition has {own}, AIRSIDE_BASE_URL is {origin}",
        "Set both to the address that people open, with the same scheme and host.",
    )


def judge_scheme(cookies: list[str], origin: str) -> Finding:
    """With an https origin its cookies are Secure; without, a session would go over plain HTTP."""
    scheme = urlsplit(origin).scheme
    is_secure = any("secure" in [part.strip().lower() for part in one.split(";")] for one in cookies)
    if not cookies:
        return unknown("public scheme", "it sets no cookie at /auth/get-csrf-token/")
    if is_secure == (scheme == "https"):
        return fine("public scheme", scheme)
    seen = f"its cookies are {'' if is_secure else 'not '}Secure, and AIRSIDE_BASE_URL is {origin}"
    return wrong(
        "public scheme", seen, "Give the Community Edition and AIRSIDE_BASE_URL the same https:// origin."
    )


def judge_clock(date: str | None, now: datetime) -> Finding:
    """`date`: the header of an answer that has just come, in whole seconds."""
    try:
        there = parsedate_to_datetime(date or "").astimezone(UTC)
    except ValueError:
        return unknown("clock", "its answers have no Date")
    skew = (there - now).total_seconds()
    if abs(skew) <= MAX_SKEW_SECONDS:
        return fine("clock", "the same, within seconds")
    return wrong(
        "clock", f"it is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}", "Run NTP on both machines."
    )


def judge_same_instance(found: Instance, public: bytes, origin: str) -> Finding:
    """`public`: what /api/instances/ of the public origin answers."""
    seen = read_instance(public)
    if seen is None:
        return wrong(
            "public address",
            f"{origin} isn't answered by a Community Edition",
            "Send it there, but for Airside's paths.",
        )
    if seen.instance.instance_id != found.instance.instance_id:
        return wrong("public address", f"{origin} is another instance", "Name one instance by both settings.")
    return fine("public address", f"{origin} is the same instance")


def judge_rate_limit(headers: Any) -> Finding:
    """Of an answer to a fresh key's first request."""
    remaining = headers.get("X-RateLimit-Remaining")
    if remaining is None or not remaining.isdigit():
        return unknown("rate limit", "no X-RateLimit-Remaining")
    limit = int(remaining) + 1
    if limit > 60:
        return fine("rate limit", f"{limit} requests a minute and key")
    return wrong(
        "rate limit",
        f"{limit} requests a minute and key",
        "All requests of one app share a key: raise API_KEY_RATE_LIMIT of the Community Edition's API, such as"
        " API_KEY_RATE_LIMIT=600/minute, and restart it.",
    )


def judge_webhook(status: int, body: bytes, url: str) -> Finding:
    """The answer to creating a webhook with the URL at which Airside takes events."""
    host = urlsplit(url).hostname or ""
    if status == 201:
        return fine("webhook host", host)
    seen = f"{host} was refused: {body.decode('utf-8', 'replace')[:200]}"
    if "." not in host:
        return wrong(
            "webhook host", seen, "It takes hosts with a dot, such as the network alias airside.internal."
        )
    return wrong(
        "webhook host",
        seen,
        f"Add {host} to WEBHOOK_ALLOWED_HOSTS of the Community Edition's API and worker, and restart them.",
    )
