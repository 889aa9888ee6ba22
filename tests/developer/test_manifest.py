"""An app as a text: written out, read back, compared, applied, and texts that mean harm."""

from typing import Any

import pytest

from airside.apps.registry import get_app
from airside.apps.tables import apps
from airside.developer.manifest import (
    PATHS,
    apply_manifest,
    create_from_manifest,
    export_manifest,
    plan_manifest,
    read_manifest,
)
from airside.developer.manifest_text import MAX_BYTES
from airside.developer.registration import update_app
from airside.errors import Forbidden, Invalid, Refused
from airside.runtime.site import Site
from tests.cast import Cast, make_cast

LEAST = "name: Courier\noauth:\n  redirect_uris:\n    - https://courier.example/callback\n"
EVERYTHING: dict[str, Any] = {
    "name": "Tally: “counts” #hours",
    "short_description": "no",
    "contact_email": "hello@tally.example",
    "redirect_uris": ["https://tally.example/a", "http://127.0.0.1:9/b?x='\"&y={}"],
    "setup_url": "https://tally.example/setup#here",
    "scopes": ["projects:read", "projects.work_items:write"],
    "scope_reasons": {"projects:read": "yes"},
    "webhook_url": "https://courier.example/tally",
    "webhook_version": "v2",
    "webhook_content_type": "application/x-www-form-urlencoded",
    "webhook_event_names": ["workitem.created"],
    "receives_own_events": True,
    "is_mentionable": True,
    "organization_name": "1.10",
    "organization_email": "office@tally.example",
    "website": "https://tally.example/",
    "privacy_policy_url": "https://tally.example/privacy",
    "terms_of_service_url": "https://tally.example/terms",
}


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


def wrong(text: str) -> dict[str, Any]:
    with pytest.raises(Invalid) as refused:
        read_manifest(text)
    return dict(refused.value.fields)


async def test_what_is_written_out_makes_the_same_app_elsewhere(site: Site, cast: Cast) -> None:
    app = await update_app(site, cast.courier["id"], cast.ana["id"], EVERYTHING)
    text = export_manifest(app)
    assert plan_manifest(text, app).changes == []
    assert plan_manifest(text, app).lines == []
    made = await create_from_manifest(site, cast.other["id"], cast.zoe["id"], text)
    for column in PATHS:
        assert made.app[column] == app[column], column
    assert made.app["scope_reasons"] == {"projects:read": "yes"}
    assert export_manifest(made.app) == text
    for secret in (made.client_secret, made.webhook_secret, app["id"], app["client_id"]):
        assert secret
        assert secret not in text


async def test_a_manifest_is_the_whole_registration(site: Site, cast: Cast) -> None:
    app = await update_app(
        site, cast.courier["id"], cast.ana["id"], EVERYTHING | {"logo_url": "https://x.example/a"}
    )
    plan = plan_manifest(LEAST, app)
    assert {change.name for change in plan.changes} >= {
        "name",
        "oauth.scopes",
        "webhooks.url",
        "agent.is_mentionable",
    }
    assert "+name: Courier" in plan.lines
    after = await apply_manifest(site, app, cast.ana["id"], LEAST)
    assert after["name"] == "Courier"
    assert (after["webhook_url"], after["scopes"], after["scope_reasons"]) == (None, [], {})
    assert after["logo_url"] == "https://x.example/a", "the logo is not in it"
    assert after["webhook_secret_sealed"] == app["webhook_secret_sealed"]


async def test_every_column_that_a_form_changes_has_its_place(site: Site, cast: Cast) -> None:
    """A field that manifests lack would be lost when an app is moved to another instance."""
    from airside.apps.fields import CHECKS

    assert set(CHECKS) - set(PATHS) == {"logo_url", "scope_reasons"}


async def test_it_is_not_applied_over_changes_that_nobody_looked_at(
    site: Site, cast: Cast, clock: Any
) -> None:
    seen = await get_app(site.db, cast.acme["id"], cast.courier["id"])
    clock.advance(seconds=1)
    await update_app(site, cast.courier["id"], cast.ana["id"], {"name": "Carrier"})
    with pytest.raises(Refused):
        await apply_manifest(site, seen, cast.ana["id"], LEAST + "agent:\n  is_mentionable: true\n")
    with pytest.raises(Forbidden):
        await create_from_manifest(site, cast.acme["id"], cast.ben["id"], LEAST)
    [stored] = await site.db.find_all(apps, id=cast.courier["id"])
    assert stored["name"] == "Carrier"


async def test_a_public_app_stays_public(site: Site, cast: Cast) -> None:
    text = LEAST + "client_type: public\n"
    assert (await create_from_manifest(site, cast.acme["id"], cast.ana["id"], text)).client_secret == ""
    with pytest.raises(Invalid) as refused:
        await apply_manifest(site, cast.courier, cast.ana["id"], text)
    assert set(refused.value.fields) == {"client_type"}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("name: A\n", "oauth.redirect_uris"),
        (LEAST.replace("Courier", "''"), "name"),
        (LEAST.replace("https://courier.example/callback", "javascript:alert(1)"), "oauth.redirect_uris"),
        (LEAST + "surprise: 1\n", "surprise"),
        (LEAST + "agent:\n  surprise: 1\n", "agent.surprise"),
        (LEAST + "agent: true\n", "agent"),
        (LEAST + "agent:\n  is_mentionable: yes\n", "agent.is_mentionable"),
        (LEAST + "client_secret: pln_secret_x\n", "client_secret"),
        (LEAST + "  scopes: [nonsense]\n", "oauth.scopes"),
        (LEAST + "  scopes: {'projects:read': {a: b}}\n", "oauth.scopes"),
        (LEAST + "  scopes: 1\n", "oauth.scopes"),
        (LEAST + "webhooks:\n  version: v3\n", "webhooks.version"),
        (LEAST + "webhooks:\n  events: [nonsense]\n", "webhooks.events"),
        (LEAST + "organization:\n  website: ftp://x.example\n", "organization.website"),
        (LEAST + "version: '2'\n", "version"),
        (LEAST + "client_type: secretive\n", "client_type"),
    ],
)
def test_what_is_wrong_is_named_as_the_manifest_names_it(text: str, field: str) -> None:
    assert set(wrong(text)) == {field}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a\n- b\n",
        "just words",
        "a: &x 1\nb: *x\n",
        "a: &x [1]\n",
        "a: [" + "*x, " * 50 + "]\n",
        "base: &b {x: 1}\nname:\n  <<: *b\n",
        "name: !!python/object/apply:os.system ['id']\n",
        "name: !!binary aGk=\n",
        "name: !local x\n",
        "name: A\nname: B\n",
        "? [a, b]\n: c\n",
        "name: [[[[[[[[[[1]]]]]]]]]]\n",
        "a: {b: {c: {d: {e: {f: {g: 1}}}}}}\n",
        "x: [" + "1, " * 5000 + "1]\n",
        "{" * 30_000,
        "[" * 30_000,
        "- " * 20_000,
        "name: A\x00B\n",
        "name: \ud800\n",
        "name: 'open\n",
        "\tname: A\n",
        "name: A\n---\nname: B\n",
        "%YAML 9.9\n---\nname: A\n",
        "name: " + "A" * MAX_BYTES,
        "é" * MAX_BYTES,
    ],
)
def test_a_hostile_text_is_refused_with_a_sentence(text: str) -> None:
    fields = wrong(text)
    assert set(fields) == {"manifest"}
    [sentence] = fields["manifest"]
    assert sentence.endswith(".")
    assert len(sentence) < 300


def test_the_line_that_is_wrong_is_named() -> None:
    assert wrong(LEAST + "agent: *x\n")["manifest"] == ["Line 5: A manifest has no anchors and aliases."]


def test_scalars_are_what_they_look_like() -> None:
    text = LEAST.replace("Courier", "2026-01-31") + "description: off\norganization:\n  name: 010\n"
    read = read_manifest(text)
    assert (read["name"], read["short_description"], read["organization_name"]) == (
        "2026-01-31",
        "off",
        "010",
    )
