"""Fetches a client ID metadata document: through the outbound guard, https only, size-limited, no redirects."""

import ssl

import aiohttp
from aiohttp.abc import AbstractResolver

from airside.settings import Settings
from airside.webhooks.destinations import guard_sockets, read_allowlist, read_destination

MAX_BYTES = 5 * 1024


async def get_document(
    settings: Settings, url: str, resolver: AbstractResolver | None = None
) -> tuple[bytes, str]:
    """The document and its Cache-Control. Raises OSError, Refused, and ValueError unless it is small and JSON."""
    try:
        return await _get(settings, url, resolver)
    except aiohttp.ClientError as error:
        raise ValueError(str(error)) from error


async def _get(settings: Settings, url: str, resolver: AbstractResolver | None) -> tuple[bytes, str]:
    target, allowlist = read_destination(url), read_allowlist(settings)
    if str(target) != url:  # another spelling of the same URL would be another client
        raise ValueError("not in canonical spelling")
    connector = aiohttp.TCPConnector(
        resolver=resolver,
        ssl=ssl.create_default_context(),
        socket_factory=guard_sockets(allowlist, is_named=allowlist.names(target.raw_host or "")),
        force_close=True,
    )
    async with (
        aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        ) as session,
        session.get(target, allow_redirects=False, headers={"Accept": "application/json"}) as response,
    ):
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if response.status != 200 or not (media_type == "application/json" or media_type.endswith("+json")):
            raise ValueError("no JSON document")
        return await _read_capped(response), response.headers.get("Cache-Control", "")


async def _read_capped(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    while chunk := await response.content.read(MAX_BYTES + 1 - len(body)):
        body += chunk
        if len(body) > MAX_BYTES:
            raise ValueError("too large")
    return bytes(body)
