"""The person's own pages: name, password, theme, API keys, and the apps that act as them."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from falcon.asgi import Request, Response

from airside.apps.scopes import ANY_READ, ANY_WRITE, describe_scopes, join_scopes
from airside.apps.tables import apps
from airside.db.base import Row
from airside.db.database import Reader
from airside.db.statements import Statement, any_of
from airside.db.text_rules import is_one_line
from airside.errors import Invalid, NotFound
from airside.identity.api_keys import (
    DEFAULT_DAYS,
    NewApiKey,
    count_new_key,
    create_api_key,
    list_api_keys,
    revoke_api_key,
)
from airside.identity.passwords import MIN_LENGTH
from airside.identity.tables import users
from airside.identity.users import change_password
from airside.oauth.sign_ins import end_sign_in, list_sign_ins
from airside.oauth.tables import TokenFamilyRow
from airside.oauth.tokens import disconnect, list_grants, list_misused
from airside.portal import cookies
from airside.portal.applications.code import key_command
from airside.portal.logos import shown_picture
from airside.portal.lookups import find_workspaces
from airside.portal.rendering import THEME_COOKIE, THEMES
from airside.portal.scope_choices import permission_groups
from airside.portal.visit import Page, Visit, enter, first_sentences
from airside.runtime.site import Site
from airside.system.clock import read_instant

NAME_LENGTH = 80  # characters
WARNING_SHOWN_FOR = timedelta(days=30)  # after a token was used twice
NEVER = "never"
EXPIRIES = {"30": 30, "90": 90, "365": 365, NEVER: None}  # form value → days
KEYS, CONNECTED = "/profile/api-keys/", "/profile/connected-apps/"


class Profile(Page):
    """GET and POST /profile/"""

    async def on_get(self, req: Request, resp: Response) -> None:
        await show_profile(await enter(self.site, req, resp))

    async def on_post(self, req: Request, resp: Response) -> None:
        visit = await enter(self.site, req, resp)
        name = (await visit.read_form()).text("name").strip()
        if not name or len(name) > NAME_LENGTH or not is_one_line(name):
            sentence = f"Enter a name of at most {NAME_LENGTH} characters."
            await show_profile(visit, {"name": name}, {"name": sentence})
            return
        async with self.site.db.transaction() as tx:
            changes = {"display_name": name, "updated_at": self.site.clock.now()}
            await tx.update(users, changes, id=visit.user_id)
        visit.go("/profile/", "name_saved")


class Password(Page):
    """POST /profile/password/"""

    async def on_post(self, req: Request, resp: Response) -> None:
        visit = await enter(self.site, req, resp)
        form = await visit.read_form()
        old, new = form.text("current_password"), form.text("new_password")
        try:
            await visit.check_password(old)
            if len(new) < MIN_LENGTH:
                raise Invalid({"new_password": [f"Use at least {MIN_LENGTH} characters."]})
            await self._change(visit, old, new)
        except Invalid as error:
            await show_profile(visit, errors=first_sentences(error, {"password": "current_password"}))
            return
        visit.go("/profile/", "password_changed")

    async def _change(self, visit: Visit, old: str, new: str) -> None:
        try:
            await change_password(self.site, visit.user_id, old, new, keep_session=visit.session.id_hash)
        except Invalid as error:
            raise Invalid({"new_password": [error.sentence.removeprefix("password: ")]}) from None


class Appearance(Page):
    """POST /profile/appearance/"""

    async def on_post(self, req: Request, resp: Response) -> None:
        visit = await enter(self.site, req, resp)
        theme = (await visit.read_form()).text("theme")
        cookies.set_cookie(self.site, resp, THEME_COOKIE, theme if theme in THEMES else "", cookies.A_YEAR)
        visit.go("/profile/", "theme_saved")


class ApiKeys(Page):
    """GET and POST /profile/api-keys/: a key outlives the session, so making one asks for the password."""

    creates = True

    async def on_get(self, req: Request, resp: Response) -> None:
        filled = {"label": "", "expires_in_days": str(DEFAULT_DAYS)}
        await self._show(await enter(self.site, req, resp), filled, {})

    async def on_post(self, req: Request, resp: Response) -> None:
        visit = await enter(self.site, req, resp)
        form = await visit.read_form()
        expires = form.text("expires_in_days") or str(DEFAULT_DAYS)
        filled = {"label": form.text("label").strip(), "expires_in_days": expires}
        try:
            made = await self._create(visit, filled, form.text("password"))
        except Invalid as error:
            await self._show(visit, filled, first_sentences(error))
            return
        await visit.go_to_show(
            f"{KEYS}made/", label=filled["label"], expires_at=made.expires_at, secret=made.token
        )

    async def _create(self, visit: Visit, filled: dict[str, str], password: str) -> NewApiKey:
        if not filled["label"]:
            raise Invalid({"label": ["Say what it is for."]})
        if filled["expires_in_days"] not in EXPIRIES:
            raise Invalid({"expires_in_days": ["Choose one of these."]})
        await visit.check_password(password)
        await count_new_key(self.site, visit.user_id)
        days = EXPIRIES[filled["expires_in_days"]]
        return await create_api_key(self.site, visit.user_id, label=filled["label"], expires_in_days=days)

    async def _show(self, visit: Visit, filled: dict[str, str], errors: dict[str, str]) -> None:
        now = self.site.clock.now()
        keys = [
            {**key, "is_expired": key["expires_at"] is not None and key["expires_at"] <= now}
            for key in await list_api_keys(self.site.db, visit.user_id)
        ]
        status = 422 if errors else 200
        visit.show("profile/api_keys.html", status=status, keys=keys, filled=filled, errors=errors)


class ApiKeyMade(Page):
    """GET /profile/api-keys/made/?answer=<form key>: the full key, once."""

    async def on_get(self, req: Request, resp: Response) -> None:
        visit = await enter(self.site, req, resp)
        shown = await visit.take_shown_once()
        if shown is None:
            visit.show_gone(
                "api_keys",
                "This key was shown once",
                "If you haven't stored it, revoke it and make another one.",
                ("API keys", KEYS),
            )
            return
        visit.show(
            "profile/api_key_created.html",
            key={"label": shown["label"], "expires_at": read_instant(shown["expires_at"] or "")},
            secret=shown["secret"],
            command=key_command(self.site.settings.origin, shown["secret"]),
        )


class RevokeApiKey(Page):
    """GET and POST /profile/api-keys/<id>/revoke/"""

    async def on_get(self, req: Request, resp: Response, key_id: str) -> None:
        visit = await enter(self.site, req, resp)
        key = await self._get_key(visit, key_id)
        visit.show(
            "confirm.html",
            nav="api_keys",
            title=f"Revoke {key['label']}?",
            crumbs=[("API keys", KEYS)],
            sentences=["Whatever uses this key stops working at once.", "It can't be made valid again."],
            words="Revoke this key",
            action=f"{KEYS}{key['id']}/revoke/",
            cancel_href=KEYS,
            ask_password=False,
            errors={},
        )

    async def on_post(self, req: Request, resp: Response, key_id: str) -> None:
        visit = await enter(self.site, req, resp)
        await visit.read_form()
        key = await self._get_key(visit, key_id)
        await revoke_api_key(self.site, visit.user_id, key["id"])
        visit.go(KEYS, "key_revoked")

    async def _get_key(self, visit: Visit, key_id: str) -> Row:
        for key in await list_api_keys(self.site.db, visit.user_id):
            if key["id"] == key_id:
                return key
        raise NotFound("You have no such API key.")


class ConnectedApps(Page):
    """GET /profile/connected-apps/"""

    async def on_get(self, req: Request, resp: Response) -> None:
        visit = await enter(self.site, req, resp)
        visit.show(
            "profile/connected_apps.html",
            grants=await list_connections(self.site, visit.user_id),
            misused=await list_warnings(self.site, visit.user_id),
        )


class Disconnect(Page):
    """GET and POST /profile/connected-apps/<installation id>/disconnect/"""

    async def on_get(self, req: Request, resp: Response, installation_id: str) -> None:
        visit = await enter(self.site, req, resp)
        connection = await self._get_connection(visit, installation_id)
        name = connection["app"]["name"]
        visit.show(
            "confirm.html",
            nav="connected_apps",
            title=f"Disconnect {name}?",
            crumbs=[("Connected apps", CONNECTED)],
            sentences=[
                f"{name} can't act as you in {connection['workspace_name']} any more; its tokens end at once.",
                "The app stays installed, and its bot keeps working.",
            ],
            words="Disconnect",
            action=f"{CONNECTED}{connection['id']}/disconnect/",
            cancel_href=CONNECTED,
            ask_password=False,
            errors={},
        )

    async def on_post(self, req: Request, resp: Response, installation_id: str) -> None:
        visit = await enter(self.site, req, resp)
        await visit.read_form()
        connection = await self._get_connection(visit, installation_id)
        await disconnect(self.site, visit.user_id, connection["id"])
        visit.go(CONNECTED, "disconnected")

    async def _get_connection(self, visit: Visit, installation_id: str) -> dict[str, Any]:
        for connection in await list_connections(self.site, visit.user_id):
            if connection["id"] == installation_id:
                return connection
        raise NotFound("This app doesn't act as you.")


class EndSignIn(Page):
    """POST /profile/sign-ins/<id>/end/: the command line on one computer, which can sign in again."""

    async def on_post(self, req: Request, resp: Response, sign_in_id: str) -> None:
        visit = await enter(self.site, req, resp)
        await visit.read_form()
        await end_sign_in(self.site, visit.user_id, sign_in_id)
        visit.go("/profile/", "sign_in_ended")


async def show_sign_ins(site: Site, user_id: str) -> list[Row]:
    """The person's command-line sign-ins, each with its workspace."""
    found = await list_sign_ins(site, user_id)
    places = await find_workspaces(site.db, [one["workspace_id"] for one in found])
    return [{**one, "workspace_name": places[one["workspace_id"]]["name"]} for one in found]


async def list_connections(site: Site, user_id: str) -> list[dict[str, Any]]:
    """One row for each installation that acts as the person, however often they consented; `id` is the
    installation's."""
    connections: dict[str | None, list[TokenFamilyRow]] = {}
    for family in await list_grants(site, user_id):
        connections.setdefault(family["installation_id"], []).append(family)
    families = [family for found in connections.values() for family in found]
    registered = await _find_apps(site.db, [family["app_id"] for family in families])
    places = await find_workspaces(site.db, [family["workspace_id"] for family in families])
    return [
        {
            "id": installation_id,
            "app": {
                "name": registered[found[0]["app_id"]]["name"],
                "logo_url": shown_picture(registered[found[0]["app_id"]]["logo_url"]),
            },
            "workspace_name": places[found[0]["workspace_id"]]["name"],
            "scope_words": scope_words([scope for family in found for scope in family["scopes"]]),
            "permissions": permission_groups(
                describe_scopes(join_scopes([scope for family in found for scope in family["scopes"]], []))
            ),
            "granted_at": min(family["created_at"] for family in found),
            "last_used_at": max(
                (family["last_used_at"] for family in found if family["last_used_at"]), default=None
            ),
        }
        for installation_id, found in connections.items()
    ]


async def list_warnings(site: Site, user_id: str) -> list[dict[str, Any]]:
    """Apps whose tokens were revoked because one was used twice: the latest for each app and workspace."""
    misused = await list_misused(site.db, user_id, site.clock.now() - WARNING_SHOWN_FOR)
    latest = {(row["app_id"], row["workspace_id"]): row for row in reversed(misused)}
    registered = await _find_apps(site.db, [row["app_id"] for row in latest.values()])
    places = await find_workspaces(site.db, [row["workspace_id"] for row in latest.values()])
    return [
        {
            "app_name": registered[row["app_id"]]["name"],
            "workspace_name": places[row["workspace_id"]]["name"],
            "at": row["revoked_at"],
        }
        for row in latest.values()
    ]


def scope_words(grant: list[str]) -> str:
    """The granted scopes in one line of a table."""
    scopes = join_scopes(grant, [])
    if ANY_READ in scopes and ANY_WRITE in scopes:
        return "Whatever you may do"
    named = len([scope for scope in scopes if scope not in (ANY_READ, ANY_WRITE)])
    parts = ["reads everything you can see"] if ANY_READ in scopes else []
    parts += ["changes everything you can change"] if ANY_WRITE in scopes else []
    parts += [f"{named} scope{'' if named == 1 else 's'}"] if named else []
    return ", ".join(parts).capitalize()


async def show_profile(
    visit: Visit, filled: dict[str, str] | None = None, errors: dict[str, str] | None = None
) -> None:
    visit.show(
        "profile/index.html",
        status=422 if errors else 200,
        filled=filled or {"name": visit.session.user["display_name"]},
        errors=errors or {},
        sign_ins=await show_sign_ins(visit.site, visit.user_id),
        password_length=MIN_LENGTH,
    )


async def _find_apps(reader: Reader, ids: list[str]) -> dict[str, Row]:
    return {row["id"]: row for row in await reader.fetch_all(_APPS, ids=list(set(ids)))}


_APPS = Statement(sa.select(apps.c.id, apps.c.name, apps.c.logo_url).where(any_of(apps.c.id, "ids")))
