"""Reading the audit log: over the API, in the portal, and as JSON lines."""

import json
from collections.abc import AsyncIterator

import pytest

from airside.audit.read import AuditFilter, export_audit
from airside.audit.record import record_audit
from airside.audit.routes import AUDIT_ROUTES
from airside.runtime.site import Site
from tests.cast import Cast, make_cast
from tests.portal.visitor import signed_in
from tests.support.api import Client, serve_api

LOG = "workspaces/acme/audit-log"
PORTAL = "/acme/settings/audit/"


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


@pytest.fixture
async def ana(site: Site, cast: Cast) -> AsyncIterator[Client]:
    async with serve_api(site, *AUDIT_ROUTES).acting_as(cast.ana["id"]) as client:
        yield client


async def add_rows(site: Site, cast: Cast, count: int) -> None:
    async with site.db.transaction() as tx:
        for _ in range(count):
            await record_audit(
                tx,
                "app.updated",
                site.clock.now(),
                workspace_id=cast.acme["id"],
                actor_id=cast.ana["id"],
                app_id=cast.courier["id"],
            )


async def test_an_admin_reads_it_newest_first(ana: Client, cast: Cast) -> None:
    page = (await ana.get(LOG)).json
    actions = [row["action"] for row in page["results"]]
    assert actions[0] == "app.installed"
    assert actions[-1] in ("workspace.created", "member.added")
    assert page["results"][0]["actor"] == {"kind": "person", "id": cast.ana["id"], "name": "Ana"}
    assert page["results"][0]["app"] == {"id": cast.courier["id"], "name": "Courier"}
    assert page["results"][0]["created_at"].endswith("Z")


async def test_it_is_filtered_by_action_actor_app_and_time(ana: Client, cast: Cast, site: Site) -> None:
    async def found(**query: str) -> set[str]:
        return {row["action"] for row in (await ana.get(LOG, **query)).json["results"]}

    assert await found(action="app.created") == {"app.created"}
    assert "member.added" not in await found(app=cast.courier["id"])
    assert await found(actor=cast.zoe["id"]) == set()
    assert await found(since="2026-01-06T00:00:00Z") == set()
    assert "app.created" in await found(since="2026-01-05T00:00:00Z")


@pytest.mark.parametrize(
    "query", [{"action": "app.dreamt"}, {"actor": "ana"}, {"app": "1"}, {"since": "2026-01-05"}]
)
async def test_a_filter_that_makes_no_sense_is_refused(ana: Client, query: dict[str, str]) -> None:
    assert (await ana.get(LOG, **query)).status_code == 400


async def test_it_is_paged(ana: Client, cast: Cast, site: Site) -> None:
    await add_rows(site, cast, 7)
    first = (await ana.get(LOG, per_page="5")).json
    second = (await ana.get(LOG, per_page="5", cursor=first["next_cursor"])).json
    assert len(first["results"]) == 5
    assert not {row["id"] for row in first["results"]} & {row["id"] for row in second["results"]}


async def test_nobody_but_an_admin_in_person_reads_it(site: Site, cast: Cast) -> None:
    api = serve_api(site, *AUDIT_ROUTES)
    bot = {"kind": "bot", "workspace_id": cast.acme["id"], "scopes": None}
    people = [(cast.ben["id"], {}), (cast.gil["id"], {}), (cast.zoe["id"], {})]
    for user_id, caller in [*people, (cast.installation["bot_user_id"], bot)]:
        async with api.acting_as(user_id, **caller) as client:
            for query in ({}, {"format": "jsonl"}):
                assert (await client.get(LOG, **query)).status_code == 403


async def test_it_is_exported_as_json_lines_oldest_first(ana: Client, cast: Cast, site: Site) -> None:
    await add_rows(site, cast, 1_200)  # more than two batches
    answer = await ana.get(LOG, format="jsonl")
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    ids = [line["id"] for line in lines]
    assert len(lines) > 1_200
    assert ids == sorted(set(ids))
    assert {line["workspace"] for line in lines} == {cast.acme["id"]}


async def test_an_operator_exports_every_workspace_and_what_belongs_to_none(site: Site, cast: Cast) -> None:
    async with site.db.transaction() as tx:
        await record_audit(tx, "user.created", site.clock.now(), actor_kind="operator")
    chunks = [chunk async for chunk in export_audit(site.db, AuditFilter())]
    seen = {json.loads(line)["workspace"] for line in b"".join(chunks).splitlines()}
    assert seen == {cast.acme["id"], cast.other["id"], None}


async def test_the_portal_shows_it_to_admins_and_filters_it(site: Site, cast: Cast) -> None:
    await add_rows(site, cast, 60)
    async with signed_in(site, "ana") as ana:
        page = await ana.get(PORTAL)
        assert page.status == 200
        assert "Changed an app&#39;s registration" in page.text
        assert 'rel="next"' in page.text
        only = await ana.get(f"{PORTAL}?action=app.installed&app={cast.courier['id']}")
        assert '<p class="fine mono">app.installed</p>' in only.text
        assert '<p class="fine mono">app.updated</p>' not in only.text
        nothing = await ana.get(f"{PORTAL}?action=app.suspended")
        assert "No entries" in nothing.text
    async with signed_in(site, "ben") as ben:
        assert (await ben.get(PORTAL)).status == 403
        assert (await ben.get(f"{PORTAL}export/")).status == 403
        assert "settings/audit" not in (await ben.get("/acme/projects/")).text


async def test_the_portal_sends_it_as_a_file_with_the_same_filters(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        file = await ana.get(f"{PORTAL}export/?action=app.installed")
    assert "audit-acme.jsonl" in file.headers["content-disposition"]
    assert [json.loads(line)["action"] for line in file.text.splitlines()] == ["app.installed"]


async def test_what_people_type_is_shown_as_text(site: Site, cast: Cast) -> None:
    async with site.db.transaction() as tx:
        await record_audit(
            tx,
            "app.updated",
            site.clock.now(),
            workspace_id=cast.acme["id"],
            details={"name": "<script>alert(1)</script>", "changes": {"name": ["<b>", ["x"]]}},
        )
    async with signed_in(site, "ana") as ana:
        page = await ana.get(PORTAL)
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text
