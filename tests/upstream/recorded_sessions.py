"""The two recorded sessions, replayed against a stand-in once each, with what happened in them unrecorded."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airside.gateway.contract.chain import KEY_NAMES, WEAK_PASSWORD
from airside.gateway.contract.exchanges import CORE, GATEWAY, Exchange, load_exchanges
from airside.gateway.contract.replay import Replay, moments
from tests.support.receivers import open_receiver
from tests.support.upstream.access import ADMIN, GUEST, MEMBER
from tests.support.upstream.accounts import change_password, create_user
from tests.support.upstream.api_tokens import issue_key
from tests.support.upstream.html import stripped
from tests.support.upstream.project_members import new_member
from tests.support.upstream.projects import create_project
from tests.support.upstream.server import Upstream, open_upstream
from tests.support.upstream.site import Settings
from tests.support.upstream.store import Row
from tests.support.upstream.wire import Call
from tests.support.upstream.work_items import create_item
from tests.support.upstream.workspaces import join_workspace, seed_project
from tests.upstream.recorded_changes import RecordedChanges

# Exchange → why it isn't replayed.
SKIPPED: dict[str, dict[int, str]] = {
    CORE: {},
    GATEWAY: {426: "the attempts it lists, with receivers that hung, weren't recorded"},
}
UNORDERED = {CORE: frozenset[int](), GATEWAY: frozenset((259, 377))}


RECORDED_OUTSIDER = "e86f83c6-4d7d-455f-8f64-706d81a84c54"


class CoreSession:
    """A workspace with an admin, a member and a guest, an outsider, and two older projects."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.site = upstream.site
        self.settings = upstream.settings
        self.settings.api_key_limit = None
        self.keys = self._people()

    def _people(self) -> dict[str, str]:
        site, people = self.site, {}
        for name in ("admin", "member", "guest", "outsider"):
            names = {"first_name": name.title(), "last_name": "Oracle", "display_name": name}
            people[name] = create_user(site, f"{name}@ce.local", "x", **names)
        self.people = people
        workspace = site.store.workspaces.insert(
            by=people["admin"]["id"], name="CE Oracle", slug="ce", owner=people["admin"]["id"], logo_url=None
        )
        self.workspace = workspace
        for name, role in (("admin", ADMIN), ("member", MEMBER), ("guest", GUEST)):
            join_workspace(site, workspace, people[name]["id"], role)
        keys = {name: self._key(name) for name in people}
        past = site.clock.now() - timedelta(days=1)
        return {
            **keys,
            "plane_api_<key>": "plane_api_unknown",
            "service": self._key("admin", is_service=True),
            "expired": self._key("admin", expired_at=past),
            "inactive": self._key("admin", is_active=False),
        }

    def _key(self, name: str, **values: Any) -> str:
        return issue_key(self.site, self.people[name]["id"], **values)["token"]

    def make_older_rows(self) -> None:
        """What an earlier session left: two projects, an item, stickies."""
        store, admin, member = self.site.store, self.people["admin"]["id"], self.people["member"]["id"]
        views = {"module_view": True, "cycle_view": True, "intake_view": True}
        first = create_project(
            self.site, self.workspace, admin, name="Golden 5CD9", identifier="G5CD9", **views
        )
        store.projects.update(first, by=admin, description="updated")
        for name in ("member", "guest"):
            store.project_members.insert(**new_member(first, self.people[name]["id"], MEMBER))
        lead = {
            "timezone": "Asia/Kolkata",
            "external_source": "golden",
            "external_id": "proj-1",
            "project_lead": member,
        }
        second = create_project(
            self.site, self.workspace, admin, name="Second 5CD9", identifier="S5CD9", **views, **lead
        )
        second["updated_by"] = admin
        for row in (first, second):
            row["logo_props"] = {"icon": {"name": "dataset", "color": "#6d7b8a"}, "in_use": "icon"}
        self.make_item(first, name="Second", sequence_id=2)
        for order, html in ((65535.0, "<p></p>"), (85535.0, "<p></p>"), (95535.0, "5")):
            store.stickies.insert(
                by=admin,
                name=None,
                description={},
                description_html=html,
                description_stripped=stripped(html),
                description_binary=None,
                logo_props={},
                color=None,
                background_color=None,
                sort_order=order,
                workspace=self.workspace["id"],
                owner=admin,
            )

    def make_item(self, project: Row, **values: Any) -> None:
        call = Call(self.site, "POST", "/api/v1/", {}, {}, b"", "", user=self.people["admin"])
        create_item(call, project, values)

    def unrecorded(self) -> dict[int, Any]:
        upload = {308: self.upload, 320: self.upload}
        return upload | {416: self.accept_from_intake, 448: self.limit_keys, 459: self.move_to_kolkata}

    def accept_from_intake(self, replay: Replay) -> None:
        project = self.site.store.projects.first(identifier="GFE0F") or {}
        admin = self.people["admin"]["id"]
        self.make_item(
            project, name="From intake 2", description_html="<p>d</p>", priority="high", sort_order=65535.0
        )
        item = self.site.store.issues.first(name="From intake 2") or {}
        item.update(updated_by=admin)
        self.site.store.modules.insert(project=project["id"], workspace=project["workspace"])

    def limit_keys(self, replay: Replay) -> None:
        self.settings.api_key_limit = 60
        self.site.budgets.clear()

    def upload(self, replay: Replay) -> None:
        for row in self.site.store.file_assets.all(is_uploaded=False):
            self.site.files[row["asset"]] = ("text/plain", b"hello")

    def move_to_kolkata(self, replay: Replay) -> None:
        self.settings.api_key_limit = None
        self.people["member"].update(user_timezone="Asia/Kolkata")


def following(upstream: Upstream) -> Callable[[Exchange], Awaitable[None]]:
    """Lets the worker finish, and the clock follow the recorded one, before each exchange."""
    clock = upstream.site.clock

    async def settle(exchange: Exchange) -> None:
        await upstream.site.worker.settle()
        times = [time for time in moments(exchange.answer) if time.startswith("2026-11-2") and "." in time]
        if times:
            recorded = max(datetime.fromisoformat(time) for time in times) - timedelta(milliseconds=50)
            if recorded > clock.now():
                clock.set(recorded)

    return settle


def core_replay(upstream: Upstream) -> Replay:
    upstream.site.clock.set(datetime(2026, 11, 23, 12, 54, 13, tzinfo=UTC))
    session = CoreSession(upstream)
    session.make_older_rows()
    replay = Replay(
        upstream.url,
        keys=session.keys,
        replaced={"http://127.0.0.1:PORT": upstream.storage_url},
        before=session.unrecorded(),
        unordered=UNORDERED[CORE],
    )
    replay.settle = following(upstream)
    replay.names.agree(RECORDED_OUTSIDER, session.people["outsider"]["id"])
    return replay


def gateway_replay(upstream: Upstream) -> Replay:
    upstream.site.clock.set(datetime(2026, 11, 29, 16, 37, 29, tzinfo=UTC))
    upstream.settings.api_key_limit = None
    upstream.settings.seeds_project = False
    upstream.settings.webhook_allowed_hosts.add("airside.internal")
    session = GatewaySession(upstream)
    replay = Replay(
        upstream.url,
        replaced={"http://127.0.0.1:26900": upstream.storage_url, "127.0.0.1:26000": upstream.url[7:]},
        before=session.unrecorded(),
        passwords={**WEAK_PASSWORD, **dict.fromkeys((290, 453, 455, 457, 459, 461), session.new_password)},
        more_headers={422: {"x-forwarded-proto": "https"}},
        key_names=KEY_NAMES,
        unordered=UNORDERED[GATEWAY],
    )
    replay.settle = following(upstream)
    return replay


class GatewaySession:
    """An empty instance: everything in it is made by requests, or named in `unrecorded`."""

    new_password = "Another-Horse-77"

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.site = upstream.site

    def unrecorded(self) -> dict[int, Any]:
        settings = self.upstream.settings
        return {
            8: self.seed,
            26: self.order_projects,
            149: self.spend_keys_budget,
            152: lambda _: setattr(settings, "api_key_limit", None),
            253: self.burst_in_web,
            273: lambda _: self.site.clock.forward(5),
            287: lambda _: change_password(self.site, self.user("ben@acme.test"), self.new_password),
            409: lambda _: self.site.clock.set(datetime(2026, 11, 29, 16, 45, 15, 600000, UTC)),
            420: lambda _: setattr(settings, "storage_url", None),
            424: lambda _: setattr(settings, "secure_cookies", True),
            427: lambda _: setattr(settings, "secure_cookies", False),
            442: self.bench,
            462: self.two_more,
        }

    def user(self, email: str) -> Row:
        return self.site.store.users.first(email=email) or {}

    def project(self, identifier: str) -> Row:
        return self.site.store.projects.first(identifier=identifier) or {}

    def seed(self, replay: Replay) -> None:
        """With the words of the demo project as they were recorded, two cycles and three modules."""
        seed_project(self.site, self.site.store.workspaces.first(slug="acme") or {})
        project, own = self.project("ACME"), {"workspace": self.project("ACME")["workspace"]}
        listed = next(exchange for exchange in load_exchanges(GATEWAY) if exchange.n == 50)
        words = ("description", "cover_image", "cover_image_url", "logo_props")
        project.update({name: listed.answer["results"][2][name] for name in words})
        project["sequence"] = 7
        for name, count in (("cycles", 2), ("modules", 3)):
            for _ in range(count):
                getattr(self.site.store, name).insert(project=project["id"], **own)

    def order_projects(self, replay: Replay) -> None:
        """Ben's second project came before his first."""
        members = self.site.store.project_members
        row = members.first(project=self.project("WEB")["id"], member=self.user("ben@acme.test")["id"])
        (row or {})["sort_order"] = 55535.0

    def spend_keys_budget(self, replay: Replay) -> None:
        """57 of the 60 requests weren't kept."""
        self.upstream.settings.api_key_limit = 60
        key = self.site.store.api_tokens.first(label="Airside: Triage") or {}
        self.site.budgets[f"key:{key['id']}"] = [self.site.clock.now().timestamp()] * 59

    def burst_in_web(self, replay: Replay) -> None:
        self.project("WEB")["sequence"] += 300

    def make_items(self, user: str, count: int, name: str) -> None:
        call = Call(self.site, "POST", "/api/v1/", {}, {}, b"", "", user=self.user(user))
        for _ in range(count):
            create_item(call, self.project("MOB"), {"name": name})

    def bench(self, replay: Replay) -> None:
        self.make_items("ana@acme.test", 4, "hang")
        self.make_items("triage@apps.airside.invalid", 228, "bench")

    def two_more(self, replay: Replay) -> None:
        for name, by in (("order 11", self.user("ana@acme.test")["id"]), ("after re-enable", None)):
            self.make_items("ana@acme.test", 1, name)
            (self.site.store.issues.first(name=name) or {})["updated_by"] = by


@dataclass
class Replayed:
    """What came of a session: differences by exchange, and of the gateway's by change."""

    answers: dict[int, list[str]]
    changes: list[list[str]]


async def replay_session(session: str) -> Replayed:
    settings = Settings(anonymous_limit=None, seconds=0)
    async with open_upstream(settings) as upstream, open_receiver() as receiver:
        replay = (core_replay if session == CORE else gateway_replay)(upstream)
        replay.replaced |= {"http://127.0.0.1:26500/h": receiver.url}
        changes = RecordedChanges(upstream, receiver, replay)
        replay.after = changes.after
        await replay.run(tuple(one for one in load_exchanges(session) if one.n not in SKIPPED[session]))
        return Replayed(replay.differences, changes.differences)
