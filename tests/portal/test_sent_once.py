"""Forms that make something: a reload and a second click make nothing twice, and a secret is shown once."""

import asyncio
import re
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest

from airside.db.tables import load_tables
from airside.developer.manifest import export_manifest
from airside.identity.form_answers import KEEP
from airside.identity.proof import prove_email
from airside.identity.sessions import start_session
from airside.identity.tables import form_answers, users
from airside.identity.users import change_password as change_password_of
from airside.identity.users import deactivate_user, set_password
from airside.oauth.expiry import clear_expired
from airside.portal.routes import portal_routes
from airside.runtime.site import Site
from airside.workspaces.webhooks import create_webhook
from tests.cast import PASSWORD, Cast
from tests.portal.test_every_form import FORMLESS, LAST, list_forms
from tests.portal.test_every_page import filled, pages
from tests.portal.visitor import FORM, MADE, PREVIEW, Shown, Visitor, signed_in
from tests.support.clocks import FrozenClock
from tests.work.scene import make_project

SECRET = re.compile(r"(plane_api_|pln_secret_|plane_wh_|whsec_)[A-Za-z0-9+/=_-]{20,}|\?token=[0-9a-f]{64}")
NEW_APP, KEYS, INVITE = (
    "/acme/settings/applications/new/",
    "/profile/api-keys/",
    "/acme/settings/members/invite/",
)
TYPED = {
    "name": "Tally", "label": "Nightly", "email": "eve@example.com", "password": PASSWORD, "identifier": "TAL",
    "redirect_uris": "https://tally.example/back", "url": "http://127.0.0.1:9/hook", "text": "Well done",
    "slug": "tally", "title": "Tally", "color": "#d97706", "expires_in_days": "30", "which": "all",
    "current_password": PASSWORD, "new_password": "a longer password than before", "confirm": "Courier",
}  # fmt: skip
# What is written at each page view, sign-in or notification; what was done once is counted elsewhere.
NOT_COUNTED = {"form_answers", "guesses", "sessions", "live_topics", "rate_budgets", "metric_counts"}


@pytest.fixture
async def ana(site: Site, cast: Cast) -> AsyncIterator[Visitor]:
    async with signed_in(site, "ana") as visitor:
        yield visitor


async def send(visitor: Visitor, path: str, fields: dict[str, str]) -> Shown:
    """As it comes, without following where it leads."""
    return await visitor.send("POST", path, urlencode(fields).encode(), FORM)


async def fill(visitor: Visitor, path: str, **typed: str) -> dict[str, str]:
    return (await visitor.get(path)).form(path) | typed


async def secret_forms(site: Site, cast: Cast) -> list[tuple[str, dict[str, str]]]:
    """Every form whose answer holds something secret, and what is typed."""
    site.settings.webhook_allowed_hosts.append("127.0.0.1")
    hook = (await create_webhook(site, cast.acme["id"], cast.ana["id"], {"url": TYPED["url"]})).webhook
    app, webhook = (
        f"/acme/settings/applications/{cast.courier['id']}/",
        f"/acme/settings/webhooks/{hook['id']}/",
    )
    again = {"password": PASSWORD}
    return [
        (NEW_APP, {"name": "Tally", "redirect_uris": TYPED["redirect_uris"]}),
        (
            f"{NEW_APP}manifest/",
            {"manifest": export_manifest(cast.courier).replace("Courier", "Tally"), "create": "on"},
        ),
        (f"{app}secrets/", again),
        (f"{app}webhook-secret/", again),
        (f"{app}webhook-secret/show/", again),
        ("/acme/settings/webhooks/new/", {"url": TYPED["url"], "which": "all"}),
        (f"{webhook}secret/", again),
        (f"{webhook}replace-secret/", again),
        (KEYS, {"label": "Nightly"} | again),
        (INVITE, {"email": "eve@example.com", "role": "member"}),
    ]


async def count_rows(site: Site) -> dict[str, int]:
    """Of every table in which a second row would be one too many."""
    names = [name for name in load_tables().tables if name not in NOT_COUNTED]
    return {name: len(await site.db.find_all(load_tables().tables[name])) for name in names}


async def test_pt3_a_secret_is_shown_once_on_a_page_of_its_own(site: Site, cast: Cast, ana: Visitor) -> None:
    async with signed_in(site, "ana") as elsewhere:
        for path, typed in await secret_forms(site, cast):
            answer = await send(ana, path, await fill(ana, path, **typed))
            assert (answer.status, MADE in answer.location) == (303, True), path
            assert SECRET.search(answer.location + answer.text + str(ana.cookies)) is None
            stored = str(await site.db.find_all(form_answers))
            assert (await elsewhere.get(answer.location)).status == 404, "another session of the same person"
            shown = await ana.get(answer.location)
            found = SECRET.search(shown.text)
            assert shown.status == 200
            assert found, path
            assert found[0] not in stored
            assert shown.headers["Cache-Control"] == "no-store"
            again = await ana.get(answer.location)
            assert (again.status, SECRET.search(again.text)) == (404, None), path
            assert "shown once" in again.text


async def test_a_double_click_whose_first_page_was_never_displayed_shows_the_secret(
    site: Site, clock: FrozenClock, cast: Cast, ana: Visitor
) -> None:
    """Without scripts the second click ends the first request, whose secret may have been rendered already."""
    path, typed = (await secret_forms(site, cast))[0]
    fields = await fill(ana, path, **typed)
    first = await ana.get((await send(ana, path, fields)).location)
    second = await send(ana, path, fields)
    shown = await ana.get(second.location)
    assert SECRET.search(shown.text)[0] == SECRET.search(first.text)[0]
    assert (await ana.get(second.location)).status == 404, "a reload of the page shows nothing"
    clock.advance(seconds=6)
    assert (await ana.get((await send(ana, path, fields)).location)).status == 404, "it was no double click"


async def test_pt3_a_shown_secret_is_erased_by_the_next_cleaning(
    site: Site, clock: FrozenClock, cast: Cast, ana: Visitor
) -> None:
    path, typed = (await secret_forms(site, cast))[0]
    location = (await send(ana, path, await fill(ana, path, **typed))).location
    await clear_expired(site)
    assert SECRET.search((await ana.get(location)).text)
    clock.advance(seconds=6)
    await clear_expired(site)
    [row] = await site.db.find_all(form_answers)
    assert row["shown_sealed"] is None


async def test_pt3_a_new_link_of_an_invitation_is_shown_once(site: Site, cast: Cast, ana: Visitor) -> None:
    await ana.post(INVITE, await fill(ana, INVITE, email="eve@example.com", role="member"))
    members = await ana.get("/acme/settings/members/")
    [(path, fields)] = [form for form in members.forms if form[0].endswith("/link/")]
    answer = await send(ana, path, fields)
    assert (answer.status, (await send(ana, path, fields)).location) == (303, answer.location)
    assert SECRET.search((await ana.get(answer.location)).text)
    assert (await ana.get(answer.location)).status == 404


async def test_a_form_that_makes_a_secret_makes_one_however_often_it_is_sent(
    site: Site, cast: Cast, ana: Visitor
) -> None:
    async with signed_in(site, "ana") as other_process:
        other_process.cookies = ana.cookies
        for path, typed in await secret_forms(site, cast):
            fields = await fill(ana, path, **typed)
            both = await asyncio.gather(send(ana, path, fields), send(other_process, path, fields))
            before = await count_rows(site)
            later = await send(ana, path, fields)
            assert await count_rows(site) == before, path
            assert {(one.status, one.location) for one in (*both, later)} == {(303, later.location)}, path
            assert SECRET.search((await other_process.get(later.location)).text), path


async def test_a_form_sent_from_a_reopened_page_is_a_new_request(
    site: Site, cast: Cast, ana: Visitor
) -> None:
    typed = {"label": "Nightly", "password": PASSWORD}
    first = await send(ana, KEYS, await fill(ana, KEYS, **typed))
    second = await send(ana, KEYS, await fill(ana, KEYS, **typed))
    assert first.location != second.location


async def test_a_form_that_was_refused_may_be_sent_again(site: Site, cast: Cast, ana: Visitor) -> None:
    wrong = await fill(ana, KEYS, label="Nightly", password="not the password")
    for _ in range(2):
        assert (await send(ana, KEYS, wrong)).status == 422
    assert (await send(ana, KEYS, wrong | {"password": PASSWORD})).status == 303
    assert len(await site.db.find_all(form_answers)) == 1


async def test_a_secret_that_nobody_looked_at_is_gone_after_some_minutes(
    site: Site, cast: Cast, clock: FrozenClock, ana: Visitor
) -> None:
    answer = await send(ana, KEYS, await fill(ana, KEYS, label="Nightly", password=PASSWORD))
    clock.advance(seconds=KEEP.total_seconds() + 1)
    assert (await ana.get(answer.location)).status == 404
    await clear_expired(site)
    assert await site.db.find_all(form_answers) == []


async def test_pt3_a_secret_that_nobody_looked_at_ends_with_its_session(site: Site, cast: Cast) -> None:
    ben = cast.ben["id"]
    new = "another long one"

    async def sign_out(visitor: Visitor) -> None:
        await visitor.submit(await visitor.get("/"), "/sign-out/")

    async def sign_in_again(visitor: Visitor) -> None:
        await start_session(site, ben, replaces=visitor.cookies["airside_session"])

    async def change_password(_: Visitor) -> None:
        await change_password_of(site, ben, PASSWORD, new, keep_session="another")
        await set_password(site, ben, PASSWORD)

    async def reset_password(_: Visitor) -> None:
        await set_password(site, ben, PASSWORD)

    async def prove(_: Visitor) -> None:
        async with site.db.transaction() as tx:
            await tx.update(users, {"email_proven_at": None}, id=ben)
        await prove_email(site, ben, PASSWORD)

    async def deactivate(_: Visitor) -> None:
        await deactivate_user(site, ben)

    async with signed_in(site, "ana") as ana:
        await send(ana, KEYS, await fill(ana, KEYS, label="Nightly", password=PASSWORD))
        for end in (sign_out, sign_in_again, change_password, reset_password, prove, deactivate):
            async with signed_in(site, "ben") as visitor:
                await send(visitor, KEYS, await fill(visitor, KEYS, label="Nightly", password=PASSWORD))
                assert len(await site.db.find_all(form_answers)) == 2
                await end(visitor)
                assert len(await site.db.find_all(form_answers)) == 1, f"only Ana's, after {end.__name__}"


async def test_whatever_stands_in_place_of_an_answer_leads_to_no_secret(cast: Cast, ana: Visitor) -> None:
    for said in ("", "%00", "%ff", "%ED%A0%80", "a" * 5000, "x&answer=y"):
        assert (await ana.get(f"{KEYS}made/?answer={said}")).status == 404, said


async def test_a_secret_is_shown_by_the_page_it_was_made_for_only(
    site: Site, cast: Cast, ana: Visitor
) -> None:
    answer = await send(ana, KEYS, await fill(ana, KEYS, label="Nightly", password=PASSWORD))
    query = answer.location.partition("?")[2]
    app = f"/acme/settings/applications/{cast.courier['id']}/made/"
    assert (await ana.get(f"{app}?{query}")).status == 404
    assert (await ana.get(answer.location)).status == 200


async def test_no_form_of_any_page_makes_two_when_it_is_sent_twice(
    site: Site, cast: Cast, ana: Visitor
) -> None:
    """From every page that there is and what they link to: each form as somebody would fill it in, twice over."""
    project = await make_project(site, cast)
    await secret_forms(site, cast)
    start = [filled(path, cast) for path in pages(site, "GET") if not FORMLESS.search(path)]
    forms = await list_forms(ana, [f"/acme/projects/{project}/work-items/", *start])
    made: set[str] = set()
    for action in sorted(forms, key=lambda one: (bool(LAST.search(one)), one == "/profile/password/", one)):
        if "sign-out" in action:
            continue
        typed = {name: TYPED.get(name) or value for name, value in forms[action].items()}
        before = await count_rows(site)
        first = await send(ana, action, typed)
        after = await count_rows(site)
        assert first.status in (303, 422, 400, 403, 404, 409) or action.endswith(PREVIEW), action
        if first.status == 303 and any(after[name] > before[name] for name in after):
            second, rows = await send(ana, action, typed), await count_rows(site)
            if any(rows[name] > after[name] for name in rows if name != "audit_log"):
                made.add(f"{action} twice")
            made.add(action)
            assert second.status in (303, 400, 404, 409, 422), action
    assert [one for one in made if one.endswith(" twice")] == []
    assert len(made) > 12, made


async def test_every_page_that_leads_to_a_secret_is_answered_once(site: Site) -> None:
    """What leads to a page of what was made must be among those whose forms are answered once."""
    routes = dict(portal_routes(site))
    leading = [path for path in routes if path.endswith("/made")]
    assert len(leading) == 4
    for path in ("/{slug}/settings/applications/new", "/profile/api-keys", "/{slug}/settings/members/invite"):
        assert getattr(routes[path], "creates", False), path
