"""What a comparison needs of a running instance, read from it with an admin's session."""

from typing import Any

import msgspec

from airside.gateway.check.requests import Requests, open_client
from airside.gateway.contract.chain import ADMIN, WORKSPACE, Instance
from airside.settings import Settings


class NotEntered(Exception):
    """The session isn't of an admin of the workspace; the message says what was answered."""


async def enter_instance(
    settings: Settings, session: str, slug: str, webhook_url: str, storage_url: str
) -> Instance:
    """`storage_url`: "" if uploads go to the instance's own origin. Raises NotEntered."""
    async with open_client() as client:
        requests = Requests(settings, client)
        headers = {"Cookie": f"session-id={session}"}
        me = await _get(requests, "/api/users/me/", headers)
        workspace = await _get(requests, f"/api/workspaces/{slug}/", headers)
        csrf = await requests.ask("GET", "/auth/get-csrf-token/", headers=headers)
    cookies = {"session-id": session}
    cookies |= dict(_pair(one) for one in csrf.cookies)
    ids = {ADMIN: me["id"], WORKSPACE: workspace["id"]}
    url = settings.upstream_api_origin
    return Instance(url, slug, me["email"], cookies, ids, webhook_url, storage_url or url)


async def _get(requests: Requests, path: str, headers: dict[str, str]) -> dict[str, Any]:
    reply = await requests.ask("GET", path, headers=headers)
    if reply.status != 200:
        raise NotEntered(
            f"{path} answers {reply.status}; AIRSIDE_UPSTREAM_SESSION must be an admin's session-id"
        )
    try:
        return msgspec.json.decode(reply.body, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise NotEntered(f"{path} doesn't answer with JSON") from None


def _pair(cookie: str) -> tuple[str, str]:
    name, _, value = cookie.partition(";")[0].partition("=")
    return name.strip(), value.strip()
