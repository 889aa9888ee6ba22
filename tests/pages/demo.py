"""A workspace that somebody has lived in for a while: what the pages are looked at with, by tests and for pictures.

with running_demo(folder) as demo:
    demo.url_of("/{slug}/settings/members/{user_id}")
"""

import asyncio
import shutil
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from airside.apps.registry import create_app
from airside.apps.secrets import add_client_secret, list_client_secrets
from airside.assets.logos import store_logo
from airside.db.base import Row
from airside.db.open import open_database
from airside.identity.api_keys import create_api_key
from airside.identity.form_answers import claim, store_shown_once
from airside.identity.sessions import start_session
from airside.identity.tables import form_answers, users
from airside.identity.users import set_operator
from airside.marketplace.drafts import add_screenshot, save_listing
from airside.marketplace.review import approve_listing
from airside.marketplace.submit import submit_listing
from airside.portal.work.editing import write_edited
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.credentials import (
    CLIENT_SECRET,
    WEBHOOK_SECRET,
    Sealer,
    hash_credential,
    new_credential,
)
from airside.webhooks.deliveries import list_deliveries
from airside.webhooks.tables import webhook_endpoints
from airside.workspaces.create import update_workspace
from airside.workspaces.invitations import create_invitation
from airside.workspaces.members import add_member
from airside.workspaces.roles import GUEST, MEMBER
from airside.workspaces.webhooks import create_webhook
from tests.agents.scene import mention_of
from tests.cast import PASSWORD, REDIRECT_URI, Cast, make_cast
from tests.marketplace.scenes import REGISTRATION, TEXTS, prepare_app
from tests.pages.demo_planning import plan
from tests.pages.demo_records import make_records
from tests.support.consent import Person
from tests.support.databases import sqlite_template
from tests.support.pictures import make_logo, make_png
from tests.support.servers import Server, running_server

KEY = "0" * 64
SETTLE_SECONDS = 30.0  # for the first deliveries, on a busy machine
NAMES = {"ana": "Ana Lindqvist", "ben": "Ben Okafor", "gil": "Gil Moreau", "zoe": "Zoe Tanaka"}
STATES = ("Backlog", "Todo", "In Progress", "Done")
ITEMS: tuple[tuple[str, str, str], ...] = (
    ("Wing root fairing leaks in rain", "urgent", "In Progress"),
    ("Write down the de-icing checklist", "high", "Todo"),
    ("Replace the door seal", "medium", "Done"),
    ("Ask for quotes for new tyres", "low", "Backlog"),
    ("Tell the crew when a flight is late", "high", "In Progress"),
    ("Paint the tail", "none", "Backlog"),
    ("Measure cabin noise at cruise", "medium", "Todo"),
    ("Translate the safety card", "low", "Done"),
)
# All that people write, and code wider than a phone.
DESCRIPTION = """Rain gets in above **10 °C**, as [the log](https://example.com/log) shows.

- [x] Dry the fairing
- [ ] Find the gap
    1. Look from below
    2. Look from above

| Side | Litres | Seal |
|---|---|---|
| Left | 2 | worn |
| Right | 0 | good |

```
litres = sum(reading.litres for reading in log if reading.temperature > 10 and reading.side == "left")
```

> It never did that before the new seal.
"""
DRAWING = b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 4 4'><path d='M0 2h4'/></svg>"
CALLOUT = """<div data-block-type="callout-component" data-emoji-unicode="128161"><p>Mind the <code>de-icing</code>
fluid: <a href="https://example.com/fluid">its sheet</a>.</p></div>"""


class Hook(BaseHTTPRequestHandler):
    """Where the apps listen: one that thanks, one that fails."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(500 if self.path.startswith("/broken") else 200)
        self.end_headers()
        self.wfile.write(b'{"ok": true}')

    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass
class Demo:
    """A running server, and a value for every parameter that a page's path can have."""

    server: Server
    known: dict[str, str]
    sessions: dict[str, str]  # name → session id; Ana is an admin of Acme, who also runs the instance
    invitation: str  # the token of one that waits
    api_key: str  # Ana's
    special: dict[str, str] = field(default_factory=dict)  # paths whose parameters mean something else there
    prefix: str = ""  # of the pages

    @property
    def session(self) -> str:
        return self.sessions["ana"]

    def url_of(self, template: str) -> str:
        path = self.path_of(template)
        return f"{self.server.url}{'' if path.startswith('/auth/o/') else self.prefix}{path}"

    def path_of(self, template: str) -> str:
        """KeyError names a parameter that nothing here stands for: make one, and name it in `known`."""
        if template in self.special:
            return self.special[template]
        return template.format(**self.known).rstrip("/") + "/"


@contextmanager
def running_demo(folder: Path, **env: str) -> Iterator[Demo]:
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    hooks = f"http://127.0.0.1:{receiver.server_port}"
    data = folder / "data"
    data.mkdir()
    shutil.copyfile(sqlite_template(), data / "airside.db")
    printed = _run(_settle_in(data, hooks))
    environment = {"AIRSIDE_SECRET_KEY": KEY, "AIRSIDE_DEBUG": "true", **env}
    try:
        with running_server(folder, environment) as server:
            _connect(server.url, *printed["courier"])
            work = _work(server.url, printed)
            work |= _ask_agent(server.url, printed, work)
            work |= plan(
                server.url, printed["key"], work["project_id"], printed["items"], printed["known"]["user_id"]
            )
            records = make_records(server.url, printed["key"], {"workspace_slug": "acme", **work})
            known = printed["known"] | records.known | work | _run(_find_deliveries(data))
            printed["made"] |= records.special
            yield replace(_as_demo(server, printed, known), prefix=env.get("AIRSIDE_PAGES_PREFIX", ""))
    finally:
        receiver.shutdown()


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """In a thread of its own: Playwright keeps this one's loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _as_demo(server: Server, printed: dict[str, Any], known: dict[str, str]) -> Demo:
    asked = {
        "client_id": printed["client_id"],
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "state": "x",
    }
    authorize = f"/auth/o/authorize-app/?{urlencode(asked)}"
    shelf, beacon = "marketplace/tally/", f"/acme/settings/applications/{printed['beacon']}/"
    app_delivery = f"/acme/settings/applications/{known['app_id']}/deliveries/{known['app_delivery_id']}/"
    special = {
        "/auth/o/authorize-app": authorize,
        "/consent": authorize + "&workspace_slug=acme",
        "/consent/workspace": authorize,
        "/invitations": f"/invitations/?{urlencode({'token': printed['invitation']})}",
        "/{slug}/settings/applications/{app_id}/deliveries/{delivery_id}": app_delivery,
        "/{slug}/settings/applications/{app_id}/secrets": f"{beacon}secrets/",  # Courier has its two
        **{
            f"{base}marketplace/{{app_slug}}{end}": f"{at}{shelf}{end[1:]}"
            for base, at in (("/", "/"), ("/{slug}/", "/acme/"))
            for end in ("", "/install")
        },
        **printed["made"],
    }
    return Demo(server, known, printed["sessions"], printed["invitation"], printed["key"], special)


async def _settle_in(data: Path, hooks: str) -> dict[str, Any]:
    """People, apps, webhooks, invitations, the marketplace."""
    settings = Settings(data=data, secret_key=KEY, webhook_allowed_hosts=["127.0.0.1"])
    site = Site(settings, await open_database(settings.database), Sealer(KEY))
    try:
        cast = await make_cast(
            site, webhook_url=f"{hooks}/courier", short_description="Brings the news", is_mentionable=True
        )
        ana, acme = cast.ana["id"], cast.acme["id"]
        await _name_people(site, cast)
        await set_operator(site, ana, True)
        await add_member(site, cast.other["id"], ana, MEMBER, by_user_id=cast.zoe["id"])
        secret = await _second_secret(site, cast)
        invited = await create_invitation(site, acme, ana, email="eve@example.com", role=MEMBER)
        await create_invitation(site, acme, ana, email="kim@example.com", role=GUEST)
        key = await create_api_key(site, ana, label="Nightly report")
        await create_api_key(site, ana, label="Laptop", expires_in_days=30)
        hook = await create_webhook(site, acme, ana, _hook(f"{hooks}/chat", "Chat room"))
        await create_webhook(site, acme, ana, _hook(f"{hooks}/broken", "Old dashboard"))
        another = await _fill_marketplace(site, cast)
        fields = {"name": "Beacon", "redirect_uris": [REDIRECT_URI], "short_description": "Not installed yet"}
        beacon = await create_app(site, workspace_id=acme, by_user_id=ana, fields=fields)
        sessions = {name: await start_session(site, getattr(cast, name)["id"]) for name in NAMES}
        return {
            "client_id": another["client_id"],
            "made": await _show_once(site, sessions["ana"], cast, hook.webhook, invited.invitation["id"]),
            "courier": (cast.client_id, cast.client_secret),
            "beacon": beacon.app["id"],
            "bot": cast.installation["bot_user_id"],
            "sessions": sessions,
            "invitation": invited.token,
            "key": key.token,
            "known": {
                "slug": "acme",
                "app_id": cast.courier["id"],
                "app_slug": "courier",
                "installation_id": cast.installation["id"],
                "webhook_id": hook.webhook["id"],
                "secret_id": secret,
                "key_id": key.id,
                "user_id": cast.ben["id"],
                "invitation_id": invited.invitation["id"],
                "answer": "allowed",
            },
        }
    finally:
        await site.close()


async def _show_once(site: Site, session: str, cast: Cast, hook: Row, invitation_id: str) -> dict[str, str]:
    """The pages of what was just made: each shows it once, at whatever time it is looked at."""
    settings, webhook_secret = "/{slug}/settings", new_credential(WEBHOOK_SECRET)
    app = {
        "what": "app", "client_secret": new_credential(CLIENT_SECRET), "webhook_secret": webhook_secret
    }  # fmt: skip
    pages: dict[str, tuple[str, Mapping[str, Any]]] = {
        "/profile/api-keys/made": (
            "/profile/api-keys/made/",
            {"label": "Nightly report", "expires_at": None, "secret": new_credential("plane_api_")},
        ),
        f"{settings}/applications/{{app_id}}/made": (
            f"/acme/settings/applications/{cast.courier['id']}/made/", app
        ),
        f"{settings}/webhooks/{{webhook_id}}/made": (
            f"/acme/settings/webhooks/{hook['id']}/made/",
            {"title": "The webhook is saved", "secret": webhook_secret},
        ),
        f"{settings}/members/invitations/{{invitation_id}}/made": (
            f"/acme/settings/members/invitations/{invitation_id}/made/", {"token": new_credential()}
        ),
    }  # fmt: skip
    made: dict[str, str] = {}
    for template, (path, shown) in pages.items():
        await claim(site, hash_credential(session), path)
        made[template] = await store_shown_once(site, path, path, shown)
    async with site.db.transaction() as tx:
        for path, _ in pages.values():
            late = {"expires_at": site.clock.now() + timedelta(days=1)}
            await tx.update(form_answers, late, key=path)
    return made


async def _name_people(site: Site, cast: Cast) -> None:
    async with site.db.transaction() as tx:
        for nick, name in NAMES.items():
            first, last = name.split()
            changes = {"display_name": name, "first_name": first, "last_name": last}
            await tx.update(users, changes, id=getattr(cast, nick)["id"])
    await update_workspace(site, cast.acme["id"], cast.ana["id"], {"name": "Acme Air"})


async def _second_secret(site: Site, cast: Cast) -> str:
    await add_client_secret(site, cast.courier, cast.ana["id"], "Staging")
    return (await list_client_secrets(site.db, cast.courier["id"]))[-1]["id"]


def _hook(url: str, title: str) -> dict[str, Any]:
    return {
        "title": title, "url": url, "version": "v2", "content_type": "application/json", "is_active": True,
        "event_names": None, "filter_pql": "", "filter_json": None,
    }  # fmt: skip


async def _fill_marketplace(site: Site, cast: Cast) -> Row:
    """Courier waits for its review; others are listed. The app that nobody has installed yet."""
    ana = cast.ana["id"]
    logo = await store_logo(site, cast.courier["id"], make_logo((42, 79, 208)))
    courier = await prepare_app(site, cast.courier, ana, logo_url=logo)
    await save_listing(site, courier, ana, TEXTS)
    await add_screenshot(site, courier, ana, make_png(), "The room hears of every change")
    await submit_listing(site, courier, ana)
    another = courier
    for name, category, tagline, color in (
        ("Tally", "planning", "Counts hours where the work is", (20, 108, 60)),
        ("Lantern", "reports", "Shows on one page what is late", (180, 90, 10)),
        ("Mailbag", "chat", "Turns mail into work items", (140, 40, 120)),
    ):
        fields = {"name": name, "redirect_uris": [REDIRECT_URI]}
        made = await create_app(site, workspace_id=cast.other["id"], by_user_id=cast.zoe["id"], fields=fields)
        printed = REGISTRATION | {"organization_name": f"{name} Works", "short_description": tagline}
        logo = await store_logo(site, made.app["id"], make_logo(color))
        another = await prepare_app(site, made.app, cast.zoe["id"], **printed | {"logo_url": logo})
        words = {
            "tagline": tagline,
            "category": category,
            "description": TEXTS["description"].replace("Courier", name),
        }
        await save_listing(site, another, cast.zoe["id"], TEXTS | words)
        listing = await submit_listing(site, another, cast.zoe["id"])
        await approve_listing(site, listing["slug"], None)
    return another


def _connect(url: str, client_id: str, client_secret: str) -> None:
    """Courier acts as Ana, too."""
    asked = {"client_id": client_id, "response_type": "code", "redirect_uri": REDIRECT_URI}
    ana = Person(url, "ana@example.com", PASSWORD)
    called = ana.consent(f"{url}/auth/o/authorize-app/?{urlencode(asked)}", "acme")
    body = {"grant_type": "authorization_code", "code": called["code"], "redirect_uri": REDIRECT_URI}
    answer = requests.post(f"{url}/auth/o/token/", data=body, auth=(client_id, client_secret), timeout=30)
    assert answer.ok, answer.text


def _work(url: str, printed: dict[str, Any]) -> dict[str, str]:
    """A project with work items, as a client of the API makes them."""
    api = requests.Session()
    api.headers["X-API-Key"] = printed["key"]

    def post(path: str, body: Any) -> Any:
        answer = api.post(f"{url}/api/v1/workspaces/acme/{path}/", json=body, timeout=30)
        assert answer.status_code in (200, 201), (path, answer.text)
        return answer.json()

    project = post("projects", {"name": "Apollo", "identifier": "APO", "description": "The next aeroplane."})
    post("projects", {"name": "Ground crew", "identifier": "GND"})
    below = f"projects/{project['id']}"
    states = {
        state["name"]: state["id"]
        for state in api.get(f"{url}/api/v1/workspaces/acme/{below}/states/", timeout=30).json()["results"]
    }
    label = post(f"{below}/labels", {"name": "safety", "color": "#d97706"})
    made = [
        post(f"{below}/work-items", {"name": name, "priority": priority, "state": states.get(state)})
        for name, priority, state in ITEMS
    ]
    item = made[0]
    printed["items"] = made
    api.patch(
        f"{url}/api/v1/workspaces/acme/{below}/work-items/{item['id']}/",
        json={"description_html": write_edited(DESCRIPTION, "", []) + CALLOUT},
        timeout=30,
    ).raise_for_status()
    member = post(f"{below}/members", {"member": printed["known"]["user_id"], "role": 15})
    comment = post(
        f"{below}/work-items/{item['id']}/comments",
        {"comment_html": "<p>It only leaks from the left, and only above 10 °C.</p>"},
    )
    features = f"{url}/api/v1/workspaces/acme/{below}/features/"
    flags = api.get(features, timeout=30).json()
    api.patch(features, json=dict.fromkeys(flags, True), timeout=30).raise_for_status()
    link = api.post(
        f"{url}/api/v1/workspaces/acme/{below}/work-items/{item['id']}/links/",
        json={"url": "https://example.com/fairing", "title": "Drawing"},
        timeout=30,
    )
    attachments = f"{below}/work-items/{item['id']}/attachments"
    asked = post(attachments, {"name": "fairing.svg", "type": "image/svg+xml", "size": len(DRAWING)})
    form = asked["upload_data"]
    requests.post(form["url"], data=form["fields"], files={"file": DRAWING}, timeout=30).raise_for_status()
    api.patch(
        f"{url}/api/v1/workspaces/acme/{attachments}/{asked['id']}/", json={"is_uploaded": True}, timeout=30
    ).raise_for_status()
    return {
        "attachment_id": asked["id"],
        "project_id": project["id"],
        "item_id": item["id"],
        "state_id": states["Todo"],
        "label_id": label["id"],
        "member_id": member["id"],
        "identifier": f"APO-{item['sequence_id']}",
        "comment_id": comment["id"],
        "link_id": link.json().get("id", "") if link.ok else "",
        "field": "state",
    }


def _ask_agent(url: str, printed: dict[str, Any], work: dict[str, str]) -> dict[str, str]:
    """Ana mentions Courier, which thinks, acts and answers."""
    base = f"{url}/api/v1/workspaces/acme"
    ana = requests.Session()
    ana.headers["X-API-Key"] = printed["key"]
    comment = {"comment_html": f"<p>{mention_of(printed['bot'])} what is late this week?</p>"}
    comments = f"projects/{work['project_id']}/work-items/{work['item_id']}/comments/"
    ana.post(f"{base}/{comments}", json=comment, timeout=30).raise_for_status()
    [run] = ana.get(f"{base}/runs/", timeout=30).json()["results"]
    body = {"grant_type": "client_credentials", "app_installation_id": printed["known"]["installation_id"]}
    token = requests.post(f"{url}/auth/o/token/", data=body, auth=printed["courier"], timeout=30).json()
    courier = {"Authorization": f"Bearer {token['access_token']}"}
    for content in (
        {"type": "thought", "body": "Looking through what is due."},
        {"type": "action", "action": "list_work_items", "parameters": {"due": "this week"}},
        {"type": "response", "body": "One is late: **Wing root fairing leaks in rain**."},
    ):
        requests.post(
            f"{base}/runs/{run['id']}/activities/",
            json={"type": content["type"], "content": content},
            headers=courier,
            timeout=30,
        ).raise_for_status()
    return {"run_id": run["id"], "agent_id": printed["bot"]}


async def _find_deliveries(data: Path) -> dict[str, str]:
    """A delivery of the webhook and one of the app, once each has been attempted."""
    settings = Settings(data=data, secret_key=KEY)
    site = Site(settings, await open_database(settings.database), Sealer(KEY))
    try:
        endpoints = await site.db.find_all(webhook_endpoints)
        hook = [one for one in endpoints if one["title"] == "Chat room"]
        app = [one for one in endpoints if one["installation_id"] is not None]
        return {
            "delivery_id": await _attempted(site, hook),
            "app_delivery_id": await _attempted(site, app),
        }
    finally:
        await site.close()


async def _attempted(site: Site, endpoints: list[Row]) -> str:
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        for row in await list_deliveries(site.db, endpoints):
            if row["attempt_count"]:
                return row["id"]
        await asyncio.sleep(0.05)
    raise TimeoutError("nothing was delivered")
