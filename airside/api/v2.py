"""THE TABLE of /api/v2, a second wire over the same records; and how it is described."""

from typing import Any

from airside import __version__
from airside.oauth.metadata import describe_flows
from airside.rest.openapi import Tag, describe_api
from airside.rest.routes import Table
from airside.rest.upsert import upsert_route
from airside.rest.wires.v2.bulk import bulk_routes
from airside.rest.wires.v2.wire import V2
from airside.work.projects.labels import LABELS_V2
from airside.work.projects.states import STATES_V2
from airside.work.stickies import STICKIES_V2

TABLE: Table = (
    # projects
    STATES_V2,
    upsert_route(STATES_V2),
    *bulk_routes(STATES_V2),
    LABELS_V2,
    upsert_route(LABELS_V2),
    *bulk_routes(LABELS_V2),
    # notes
    STICKIES_V2,
)

TAGS = (
    Tag("States", "The states that a project's work items go through.", ("states",)),
    Tag("Labels", "A project's labels.", ("labels",)),
    Tag("Stickies", "A person's own notes in a workspace.", ("stickies",)),
)


def describe_v2(origin: str) -> dict[str, Any]:
    """The OpenAPI document of an instance at this origin."""
    return describe_api(V2, TABLE, origin, __version__, TAGS, describe_flows(origin))
