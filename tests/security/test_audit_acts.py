"""OP2 once more: the acts of admins, operators and clients that register themselves, each with exactly its rows."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from airside.apps.policy import change_policy
from airside.audit.actions import ACTIONS
from airside.db.base import new_id
from airside.developer.listeners import close_listener, open_listener
from airside.developer.registration import update_app
from airside.identity.api_keys import create_api_key
from airside.identity.users import set_operator, set_password
from airside.installations.install import install_app
from airside.installations.project_choice import choose_projects
from airside.installations.scope_requests import approve_scopes, decline_scopes
from airside.oauth.register import register_client
from airside.oauth.resource_servers import add_resource_server, remove_resource_server
from airside.oauth.tokens import disconnect
from airside.runtime.site import Site
from airside.workspaces.invitations import (
    accept_as,
    create_invitation,
    renew_link,
    revoke_invitation,
    set_invited_role,
)
from airside.workspaces.roles import GUEST, MEMBER
from airside.workspaces.webhooks import (
    create_webhook,
    delete_webhook,
    replace_secret,
    reveal_secret,
    update_webhook,
)
from tests.oauth.conftest import AppSide
from tests.security.test_audit import ACTS, Act, prepare_nothing, rows_of
from tests.security.test_device import answer_device, poll, start
from tests.work.scene import make_project

TESTS = Path(__file__).parents[1]
HOOK = {"url": "https://courier.example/pager"}
MCP = "https://mcp.example/mcp"


class Here:
    """Acme's admin at work, with the arguments that her acts begin with."""

    def __init__(self, side: AppSide) -> None:
        self.site, self.cast = side.site, side.cast
        self.acme, self.ana = side.cast.acme["id"], side.cast.ana["id"]
        self.installed = (side.site, self.acme, side.cast.installation["id"])

    def hook(self, one: Any) -> tuple[Site, str, str, str]:
        return self.site, self.acme, one.webhook["id"], self.ana

    def invitation(self, one: Any) -> tuple[Site, str, str, str]:
        return self.site, self.acme, one.invitation["id"], self.ana


def make_hook(side: AppSide) -> Awaitable[Any]:
    here = Here(side)
    return create_webhook(here.site, here.acme, here.ana, HOOK)


def invite(side: AppSide) -> Awaitable[Any]:
    here = Here(side)
    return create_invitation(here.site, here.acme, here.ana, email="zoe@example.com", role=MEMBER)


def listen(side: AppSide) -> Awaitable[Any]:
    return open_listener(
        side.site,
        side.cast.courier,
        side.cast.ana["id"],
        name="laptop",
        forward_to="http://127.0.0.1:9000/",
        event_names=None,
        session=new_id(),
    )


async def ask_for_more(side: AppSide) -> None:
    """The registration grows beyond what Acme granted."""
    here = Here(side)
    await update_app(here.site, here.cast.courier["id"], here.ana, {"scopes": ["projects:read"]})
    async with here.site.db.transaction() as tx:
        from airside.installations.tables import installations

        await tx.update(installations, {"scopes": ["projects:read"]}, id=here.cast.installation["id"])
    more = {"scopes": ["projects:read", "profile:read"]}
    await update_app(here.site, here.cast.courier["id"], here.ana, more)


async def sign_in_device(side: AppSide) -> dict[str, Any]:
    device = await start(side)
    await answer_device(side.site, side.cast, device, side.cast.ana)
    return device


async def make_two_keys(side: AppSide) -> None:
    for _ in range(2):
        await create_api_key(side.site, side.cast.ana["id"])


async def choose_one(side: AppSide, project_id: str) -> None:
    here = Here(side)
    await choose_projects(*here.installed, here.ana, [project_id])


MORE: dict[str, tuple[Act, Callable[[AppSide, Any], Awaitable[Any]], list[str]]] = {
    "make an operator": (
        prepare_nothing,
        lambda side, _: set_operator(side.site, side.cast.ana["id"], True),
        ["user.operator_added"],
    ),
    "end an operator": (
        lambda side: set_operator(side.site, side.cast.ana["id"], True),
        lambda side, _: set_operator(side.site, side.cast.ana["id"], False),
        ["user.operator_removed"],
    ),
    "set a password and end every key": (
        make_two_keys,
        lambda side, _: set_password(side.site, side.cast.ana["id"], "another long one", revoke_keys=True),
        ["api_key.revoked", "api_key.revoked", "user.password_changed"],
    ),
    "change the app policy": (
        prepare_nothing,
        lambda side, _: change_policy(
            side.site, side.cast.acme["id"], side.cast.ana["id"], {"registers": "members"}
        ),
        ["workspace.policy_changed"],
    ),
    "change no policy": (
        prepare_nothing,
        lambda side, _: change_policy(
            side.site, side.cast.acme["id"], side.cast.ana["id"], {"registers": "admins"}
        ),
        [],
    ),
    "invite": (prepare_nothing, lambda side, _: invite(side), ["invitation.created"]),
    "make another link": (
        invite,
        lambda side, made: renew_link(*Here(side).invitation(made)),
        ["invitation.link_made"],
    ),
    "invite as a guest instead": (
        invite,
        lambda side, made: set_invited_role(*Here(side).invitation(made), GUEST),
        ["invitation.role_changed"],
    ),
    "revoke an invitation": (
        invite,
        lambda side, made: revoke_invitation(*Here(side).invitation(made)),
        ["invitation.revoked"],
    ),
    "accept an invitation": (
        invite,
        lambda side, made: accept_as(side.site, made.token, side.cast.zoe["id"]),
        ["invitation.accepted", "member.added"],
    ),
    "name a resource server": (
        prepare_nothing,
        lambda side, _: add_resource_server(side.site, side.cast.courier, MCP),
        ["app.resource_added"],
    ),
    "name it again": (
        lambda side: add_resource_server(side.site, side.cast.courier, MCP),
        lambda side, _: add_resource_server(side.site, side.cast.courier, MCP),
        [],
    ),
    "end a resource server": (
        lambda side: add_resource_server(side.site, side.cast.courier, MCP),
        lambda side, _: remove_resource_server(side.site, side.cast.courier, MCP),
        ["app.resource_removed"],
    ),
    "make a webhook": (prepare_nothing, lambda side, _: make_hook(side), ["webhook.created"]),
    "change a webhook": (
        make_hook,
        lambda side, made: update_webhook(*Here(side).hook(made), {"title": "Pager"}),
        ["webhook.updated"],
    ),
    "see a webhook's secret": (
        make_hook,
        lambda side, made: reveal_secret(*Here(side).hook(made)),
        ["webhook_secret.revealed"],
    ),
    "replace a webhook's secret": (
        make_hook,
        lambda side, made: replace_secret(*Here(side).hook(made)),
        ["webhook_secret.replaced"],
    ),
    "delete a webhook": (
        make_hook,
        lambda side, made: delete_webhook(*Here(side).hook(made)),
        ["webhook.deleted"],
    ),
    "install": (
        prepare_nothing,
        lambda side, _: install_app(side.site, side.cast.courier, side.cast.other["id"], side.cast.zoe["id"]),
        ["app.installed"],
    ),
    "choose projects": (
        lambda side: make_project(side.site, side.cast),
        choose_one,
        ["app.projects_changed"],
    ),
    "allow more scopes": (
        ask_for_more,
        lambda side, _: approve_scopes(*Here(side).installed, side.cast.ana["id"]),
        ["app.scopes_changed"],
    ),
    "decline more scopes": (
        ask_for_more,
        lambda side, _: decline_scopes(*Here(side).installed, side.cast.ana["id"]),
        ["app.scopes_declined"],
    ),
    "revoke an access token": (
        lambda side: side.user_tokens(),
        lambda side, tokens: side.revoke(tokens["access_token"]),
        ["token.revoked"],
    ),
    "revoke a refresh token": (
        lambda side: side.user_tokens(),
        lambda side, tokens: side.revoke(tokens["refresh_token"]),
        ["token.revoked"],
    ),
    "revoke what is no token": (prepare_nothing, lambda side, _: side.revoke("unknown"), []),
    "disconnect an app": (
        lambda side: side.user_tokens(),
        lambda side, _: disconnect(side.site, side.cast.ana["id"], side.cast.installation["id"]),
        ["token.revoked"],
    ),
    "register oneself": (
        prepare_nothing,
        lambda side, _: register_client(
            side.site, {"client_name": "Second", "redirect_uris": ["http://127.0.0.1/cb"]}
        ),
        ["app.created", "client_secret.created"],
    ),
    "hear an app's webhooks on a computer": (
        prepare_nothing,
        lambda side, _: listen(side),
        ["listener.opened"],
    ),
    "hear no more of them there": (
        listen,
        lambda side, one: close_listener(
            side.site, side.cast.courier, one.listener["id"], side.cast.ana["id"]
        ),
        ["listener.closed"],
    ),
    "let a device sign in": (
        prepare_nothing,
        lambda side, _: sign_in_device(side),
        ["app.created", "consent.given", "user.signed_in"],  # at its first use
    ),
    "give a device its tokens": (
        sign_in_device,
        lambda side, device: poll(side, device),
        ["token.issued"],
    ),
}


@pytest.mark.parametrize("name", MORE)
async def test_op2_each_further_act_leaves_exactly_its_rows(app_side: AppSide, site: Site, name: str) -> None:
    prepare, act, expected = MORE[name]
    prepared = await prepare(app_side)
    before = {row["id"] for row in await rows_of(site)}
    await act(app_side, prepared)
    left = [row for row in await rows_of(site) if row["id"] not in before]
    assert sorted(row["action"] for row in left) == expected
    secret = app_side.cast.client_secret
    assert not any(secret in str(row) or "plane_wh_" in str(row) for row in left)


def test_op2_no_act_of_the_catalogue_is_without_a_test() -> None:
    """Most are done here and in test_audit.py; the others have tests beside what they are about."""
    done = {action for _, _, rows in (*ACTS.values(), *MORE.values()) for action in rows}
    others = "".join(path.read_text() for path in TESTS.rglob("test_*.py"))
    assert [action for action in ACTIONS if action not in done and f'"{action}"' not in others] == []
