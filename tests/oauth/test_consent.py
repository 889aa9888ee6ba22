"""Who is asked what, and what their answer does."""

import asyncio

import pytest

from airside.db.base import Row, new_id
from airside.developer.delete_app import delete_app
from airside.developer.registration import update_app
from airside.errors import Forbidden
from airside.identity.sessions import Session
from airside.installations.read import find_installation
from airside.installations.scope_requests import list_scope_requests
from airside.installations.uninstall import uninstall_app
from airside.oauth.authorize import open_consent_request
from airside.oauth.consent import (
    ConsentGone,
    ConsentScreen,
    approve,
    ask,
    ask_admins,
    deny,
    find_asking_app,
    take_answer,
)
from airside.oauth.tables import authorization_codes
from airside.runtime.site import Site
from airside.workspaces.members import add_member, remove_member
from airside.workspaces.roles import ADMIN, MEMBER
from tests.cast import Cast
from tests.oauth.conftest import authorize_query, parts_of, sign_in_as
from tests.support.clocks import FrozenClock


async def put(site: Site, cast: Cast, person: Row, **asked: str) -> tuple[ConsentScreen, Session]:
    request_id = await open_consent_request(site, authorize_query(cast, **asked))
    session = await sign_in_as(site, person)
    return await ask(site, request_id, session), session


async def test_an_admin_is_asked_for_the_bot_and_for_herself(site: Site, cast: Cast) -> None:
    question, _ = await put(site, cast, cast.zoe, scope="projects:read profile:read")
    assert question.chosen is not None
    assert (question.chosen.slug, question.chosen.may, question.chosen.is_installed) == (
        "other",
        "install",
        False,
    )
    sentences = {"Projects": ["See projects"], "Profile": ["See your name, e-mail address and picture"]}
    assert (question.as_bot, question.as_you, question.added) == (sentences, sentences, {})
    assert (question.publisher, question.redirect_host) == ("Acme", "courier.example")


async def test_an_organization_is_shown_beside_the_workspace_that_registered(site: Site, cast: Cast) -> None:
    changes = {"organization_name": "Courier Ltd"}
    await update_app(site, cast.courier["id"], cast.ana["id"], changes)
    question, _ = await put(site, cast, cast.zoe)
    assert (question.publisher, question.registered_by) == ("Courier Ltd", "Acme")


async def test_approval_gives_a_code_and_the_installation(site: Site, cast: Cast) -> None:
    state = "a+b &%=ü✈" * 200
    question, session = await put(site, cast, cast.zoe, state=state)
    answer = parts_of(await approve(site, question.request_id, session, cast.other["id"]))
    installation = await find_installation(site.db, cast.other["id"], cast.courier["id"])
    assert installation is not None
    assert answer["app_installation_id"] == installation["id"]
    assert (answer["state"], answer["iss"]) == (state, site.settings.origin)
    assert len(answer["code"]) == 64


async def test_denial_is_redirected_to_the_app(site: Site, cast: Cast) -> None:
    question, session = await put(site, cast, cast.zoe, state="s")
    answer = parts_of(await deny(site, question.request_id, session))
    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "s", site.settings.origin)
    assert "code" not in answer
    with pytest.raises(ConsentGone):
        await approve(site, question.request_id, session, cast.other["id"])
    assert await find_installation(site.db, cast.other["id"], cast.courier["id"]) is None


async def test_an_answer_counts_once_even_when_sent_twenty_times_at_once(site: Site, cast: Cast) -> None:
    question, session = await put(site, cast, cast.zoe)
    answers = await asyncio.gather(
        *(approve(site, question.request_id, session, cast.other["id"]) for _ in range(20)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert sum(isinstance(answer, ConsentGone) for answer in answers) == 19
    assert len(await site.db.find_all(authorization_codes)) == 1


async def test_only_the_session_that_saw_the_question_may_answer(site: Site, cast: Cast) -> None:
    question, _ = await put(site, cast, cast.ana)
    other = await sign_in_as(site, cast.ana)
    for answering in (
        approve(site, question.request_id, other, cast.acme["id"]),
        deny(site, question.request_id, other),
        ask(site, question.request_id, other),
    ):
        with pytest.raises(ConsentGone):
            await answering


async def test_a_question_nobody_has_seen_cannot_be_answered(site: Site, cast: Cast) -> None:
    request_id = await open_consent_request(site, authorize_query(cast))
    session = await sign_in_as(site, cast.ana)
    with pytest.raises(ConsentGone):
        await approve(site, request_id, session, cast.acme["id"])
    with pytest.raises(ConsentGone):
        await deny(site, request_id, session)


async def test_the_workspace_shown_must_be_the_one_held(site: Site, cast: Cast) -> None:
    await add_member(site, cast.other["id"], cast.ana["id"], ADMIN, by_user_id=cast.zoe["id"])
    question, session = await put(site, cast, cast.ana)
    assert question.chosen is None
    assert {choice.slug for choice in question.choices} == {"acme", "other"}
    chosen = await ask(site, question.request_id, session, cast.other["id"])
    assert chosen.chosen is not None
    for wrong in (cast.acme["id"], new_id(), "", "x"):
        with pytest.raises(ConsentGone):
            await approve(site, question.request_id, session, wrong)
    assert await approve(site, question.request_id, session, cast.other["id"])


async def test_a_workspace_one_is_not_in_cannot_be_chosen(site: Site, cast: Cast) -> None:
    question, session = await put(site, cast, cast.zoe)
    again = await ask(site, question.request_id, session, cast.acme["id"])
    assert again.chosen is None
    with pytest.raises(ConsentGone):
        await approve(site, question.request_id, session, cast.acme["id"])


async def test_a_request_expires(site: Site, cast: Cast, clock: FrozenClock) -> None:
    question, session = await put(site, cast, cast.zoe)
    clock.advance(minutes=30)
    with pytest.raises(ConsentGone):
        await approve(site, question.request_id, session, cast.other["id"])


@pytest.mark.parametrize("request_id", ["", "x", "00000000-0000-0000-0000-000000000000", "\x00", "'"])
async def test_an_unknown_request_is_gone(site: Site, cast: Cast, request_id: str) -> None:
    session = await sign_in_as(site, cast.ana)
    with pytest.raises(ConsentGone):
        await ask(site, request_id, session)
    assert await find_asking_app(site, request_id) is None


async def test_a_member_may_let_an_installed_app_act_for_him(site: Site, cast: Cast) -> None:
    question, session = await put(site, cast, cast.ben)
    assert question.chosen is not None
    assert (question.chosen.may, question.as_bot) == ("grant", {})
    assert question.as_you
    answer = parts_of(await approve(site, question.request_id, session, cast.acme["id"]))
    assert answer["app_installation_id"] == cast.installation["id"]


async def test_a_members_grant_stays_within_what_the_admin_allowed(site: Site, cast: Cast) -> None:
    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    anas, session = await put(site, cast, cast.ana, scope="projects:read")
    await approve(site, anas.request_id, session, cast.acme["id"])
    bens, session = await put(site, cast, cast.ben, scope="read write")
    assert bens.as_you == {"Projects": ["See projects"]}
    await approve(site, bens.request_id, session, cast.acme["id"])
    [code] = await site.db.find_all(authorization_codes, user_id=cast.ben["id"])
    assert code["scopes"] == ["read", "write", "projects:read"]
    more, session = await put(site, cast, cast.ben, scope="customers:read")
    assert [choice.may for choice in more.choices] == [None]


@pytest.mark.parametrize("who", ["ben", "gil"])
async def test_only_an_admin_installs(site: Site, cast: Cast, who: str) -> None:
    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    question, session = await put(site, cast, getattr(cast, who))
    assert question.chosen is None
    assert "Only admins" in question.choices[0].refusal
    seen = await ask(site, question.request_id, session, cast.acme["id"])
    assert seen.chosen is not None
    with pytest.raises(Forbidden, match="Only admins"):
        await approve(site, question.request_id, session, cast.acme["id"])
    assert await find_installation(site.db, cast.acme["id"], cast.courier["id"]) is None


async def test_a_guest_grants_nothing(site: Site, cast: Cast) -> None:
    question, session = await put(site, cast, cast.gil)
    await ask(site, question.request_id, session, cast.acme["id"])
    with pytest.raises(Forbidden, match="Guests"):
        await approve(site, question.request_id, session, cast.acme["id"])


async def test_an_admin_of_before_is_refused_at_the_answer(site: Site, cast: Cast) -> None:
    await add_member(site, cast.other["id"], cast.ben["id"], ADMIN, by_user_id=cast.zoe["id"])
    question, session = await put(site, cast, cast.ben)
    await ask(site, question.request_id, session, cast.other["id"])
    await add_member(site, cast.other["id"], cast.ben["id"], MEMBER, by_user_id=cast.zoe["id"])
    with pytest.raises(Forbidden):
        await approve(site, question.request_id, session, cast.other["id"])
    await remove_member(site, cast.other["id"], cast.ben["id"], by_user_id=cast.zoe["id"])
    with pytest.raises(Forbidden):
        await approve(site, question.request_id, session, cast.other["id"])


async def test_an_app_changed_meanwhile_gets_no_answer(site: Site, cast: Cast) -> None:
    question, session = await put(site, cast, cast.zoe)
    changes = {"redirect_uris": ["https://courier.example/new"]}
    await update_app(site, cast.courier["id"], cast.ana["id"], changes)
    with pytest.raises(ConsentGone):
        await approve(site, question.request_id, session, cast.other["id"])
    await delete_app(site, cast.acme["id"], cast.courier["id"], cast.ana["id"])
    with pytest.raises(ConsentGone):
        await ask(site, question.request_id, session)


async def test_asking_for_more_shows_what_is_new(site: Site, cast: Cast) -> None:
    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    first, session = await put(site, cast, cast.ana, scope="projects:read")
    await approve(site, first.request_id, session, cast.acme["id"])
    second, session = await put(site, cast, cast.ana, scope="projects:read projects:write")
    assert second.added == {"Projects": ["Create, change and archive projects"]}
    await approve(site, second.request_id, session, cast.acme["id"])
    installation = await find_installation(site.db, cast.acme["id"], cast.courier["id"])
    assert installation is not None
    assert installation["scopes"] == ["projects:read", "projects:write"]


async def ask_for_more(site: Site, cast: Cast, person: Row) -> tuple[str, Session]:
    """A request for a scope that the admin of Acme hasn't granted."""
    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    anas, session = await put(site, cast, cast.ana, scope="projects:read")
    await approve(site, anas.request_id, session, cast.acme["id"])
    question, session = await put(site, cast, person, scope="customers:read")
    await ask(site, question.request_id, session, cast.acme["id"])
    return question.request_id, session


async def test_a_member_requests_scopes_that_are_not_granted_from_the_admins(site: Site, cast: Cast) -> None:
    request_id, session = await ask_for_more(site, cast, cast.ben)
    with pytest.raises(ConsentGone):
        await ask_admins(site, request_id, await sign_in_as(site, cast.ben), cast.acme["id"])
    with pytest.raises(ConsentGone):
        await ask_admins(site, request_id, session, cast.other["id"])
    answer = parts_of(await ask_admins(site, request_id, session, cast.acme["id"]))
    assert (answer["error"], "code" in answer) == ("access_denied", False)
    [requested] = await list_scope_requests(site.db, cast.acme["id"])
    assert (requested["scopes"], requested["asked_by_id"]) == (["customers:read"], cast.ben["id"])
    assert await site.db.find_all(authorization_codes, user_id=cast.ben["id"]) == []


@pytest.mark.parametrize("who", ["ana", "gil"])
async def test_neither_an_admin_nor_a_guest_requests_scopes_from_the_admins(
    site: Site, cast: Cast, who: str
) -> None:
    request_id, session = await ask_for_more(site, cast, getattr(cast, who))
    with pytest.raises(Forbidden):
        await ask_admins(site, request_id, session, cast.acme["id"])
    assert await list_scope_requests(site.db, cast.acme["id"]) == []


async def test_of_an_app_that_is_not_installed_no_scopes_are_requested(site: Site, cast: Cast) -> None:
    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    question, session = await put(site, cast, cast.ben)
    await ask(site, question.request_id, session, cast.acme["id"])
    with pytest.raises(Forbidden):
        await ask_admins(site, question.request_id, session, cast.acme["id"])


async def test_the_redirect_is_given_once_to_the_session_that_decided(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    question, session = await put(site, cast, cast.ana)
    with pytest.raises(ConsentGone):
        await take_answer(site, question.request_id, session)
    location = await approve(site, question.request_id, session, cast.acme["id"])
    with pytest.raises(ConsentGone):
        await take_answer(site, question.request_id, await sign_in_as(site, cast.ana))
    assert await take_answer(site, question.request_id, session, keep=True) == location
    assert await take_answer(site, question.request_id, session) == location
    with pytest.raises(ConsentGone):
        await take_answer(site, question.request_id, session)
    late, session = await put(site, cast, cast.ana)
    await approve(site, late.request_id, session, cast.acme["id"])
    clock.advance(hours=1)
    with pytest.raises(ConsentGone):
        await take_answer(site, late.request_id, session)
