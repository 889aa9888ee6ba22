"""Scopes and events of what this instance doesn't serve say so wherever somebody chooses or reads them."""

import re

from airside.api.served import APIS
from airside.apps import scopes
from airside.apps.registry import create_app
from airside.events import catalog
from airside.rest.routes import list_routes
from airside.runtime.site import Site
from tests.cast import REDIRECT_URI, make_cast
from tests.portal.visitor import signed_in

NOTE = "not on this instance"


def test_a_scope_is_served_if_an_operation_asks_for_it() -> None:
    asked = {route.scope for api in APIS for route in list_routes(api.table)}
    assert {name for name in scopes.BY_NAME if scopes.is_served(name)} == asked & set(scopes.BY_NAME)


def test_an_event_of_planes_is_served_if_an_operation_records_it() -> None:
    routes = [route for api in APIS for route in list_routes(api.table)]
    recorded = {event for route in routes for event in (route.event, route.other_event)}
    of_plane = {kind.name for kind in catalog.list_kinds().values() if kind.defined_by_plane}
    assert {name for name in of_plane if catalog.is_served(name)} == of_plane & recorded
    assert all(catalog.is_served(name) for name in set(catalog.list_kinds()) - of_plane)


def noted(text: str, part: str) -> bool:
    """Whether the note stands beside this part of a page, before its next line."""
    found = re.search(re.escape(part) + r"(.*?)</(?:label|summary|p)>", text, re.DOTALL)
    assert found, part
    return NOTE in found[1]


async def test_pages_say_what_is_not_served_where_scopes_and_events_are_chosen(site: Site) -> None:
    cast = await make_cast(site)
    app = f"/acme/settings/applications/{cast.courier['id']}"
    async with signed_in(site, "ana") as ana:
        for path in ("/acme/settings/applications/new/", f"{app}/oauth/edit/"):
            page = (await ana.get(path)).text
            assert noted(page, "See initiatives")
            assert not noted(page, "See labels")
        for path in ("/acme/settings/webhooks/new/", f"{app}/webhooks/edit/"):
            page = (await ana.get(path)).text
            assert noted(page, "<span>workitem.vote")
            assert not noted(page, "<span>workitem.comment")


async def test_what_an_app_may_do_says_what_of_it_is_not_served(site: Site) -> None:
    cast = await make_cast(site)
    fields = {
        "name": "Bikes",
        "redirect_uris": [REDIRECT_URI],
        "scopes": ["initiatives:read", "projects.labels:read"],
    }
    made = await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    async with signed_in(site, "ana") as ana:
        page = (await ana.get(f"/acme/settings/applications/{made.app['id']}/oauth/")).text
    assert noted(page, "See initiatives")
    assert not noted(page, "See labels")
