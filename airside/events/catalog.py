"""The catalogue of events, with their names in v1 and v2.

Plane documents 43 of them, none for states, labels, members and settings. Its documentation promises apps a call
"upon every change to the workspace", so Airside adds events in the same style (`defined_by_plane` is False):
those of records come from the API's table, the others are listed here.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from airside.events.declared import find_declared

CREATED, UPDATED, ARCHIVED, DELETED = "created", "updated", "archived", "deleted"
_LIFE = (CREATED, UPDATED, DELETED)
_LIFE_AND_ARCHIVE = (CREATED, UPDATED, ARCHIVED, DELETED)
_CREATED_AND_DELETED = (CREATED, DELETED)


class EventKind(NamedTuple):
    """One kind of event. v1 has three actions only: every other change of an entity is an update there."""

    name: str  # dotted; v2's `event`
    v1_event: str
    v1_action: str  # created | updated | deleted
    entity_type: str  # v2's
    defined_by_plane: bool
    scope: str = ""  # sent to apps that have this scope; "": to all
    is_agents: bool = False  # sent to one agent; both versions have the same body


class _Entity(NamedTuple):
    name: str
    word: str  # v1's `event` and v2's `entity_type`
    actions: tuple[str, ...]
    scope: str  # that reads it; without a published scope only apps that may read everything receive it


_OF_PLANE = (
    _Entity("project", "project", _LIFE_AND_ARCHIVE, "projects:read"),
    _Entity("cycle", "cycle", _LIFE_AND_ARCHIVE, "projects.cycles:read"),
    _Entity("module", "module", _LIFE_AND_ARCHIVE, "projects.modules:read"),
    _Entity("milestone", "milestone", _LIFE, "projects.milestones:read"),
    _Entity("page", "page", _LIFE_AND_ARCHIVE, "projects.pages:read"),
    _Entity("page.comment", "page_comment", _LIFE, "projects.pages:read"),
    _Entity("workitem", "issue", _LIFE_AND_ARCHIVE, "projects.work_items:read"),
    _Entity("workitem.comment", "issue_comment", _LIFE, "projects.work_items.comments:read"),
    _Entity("workitem.link", "issue_link", _LIFE, "projects.work_items.links:read"),
    _Entity("workitem.vote", "issue_vote", _CREATED_AND_DELETED, "projects.work_items:read"),
    _Entity("workitem.attachment", "issue_attachment", _LIFE, "projects.work_items.attachments:read"),
    _Entity(
        "workitem.relation", "issue_relation", _CREATED_AND_DELETED, "projects.work_items.relations:read"
    ),
    _Entity(
        "workitem.dependency", "issue_dependency", _CREATED_AND_DELETED, "projects.work_items.relations:read"
    ),
    _Entity("workitem.page_link", "issue_page_link", _CREATED_AND_DELETED, "projects.pages:read"),
)

_OF_AIRSIDE = (
    _Entity("workspace", "workspace", (UPDATED,), "workspaces:read"),
    _Entity("workspace.features", "workspace_features", (UPDATED,), "workspaces.features:read"),
    _Entity("workspace.app_policy", "workspace_app_policy", (UPDATED,), "workspaces:read"),
    _Entity("workspace.member", "workspace_member", _LIFE, "workspaces.members:read"),
    _Entity("workspace.invitation", "workspace_invitation", _LIFE, "workspaces.members:read"),
    _Entity("project.features", "project_features", (UPDATED,), "projects.features:read"),
    _Entity("project.member", "project_member", _LIFE, "projects.members:read"),
)

# Events of an app in a workspace have names of their own: app.suspended says more than an update would.
_OF_APPS = {
    "app.installed": CREATED,
    "app.suspended": UPDATED,
    "app.unsuspended": UPDATED,
    "app.scopes_changed": UPDATED,
    "app.projects_changed": UPDATED,
    "app.uninstalled": DELETED,
}

# The events of agent runs. The first two have Plane's names and bodies; the last two are recorded, but never sent.
AGENT_RUN_CREATE, AGENT_RUN_USER_PROMPT = "agent_run_create", "agent_run_user_prompt"
AGENT_RUN_UPDATED, AGENT_RUN_ACTIVITY_CREATED = "agent_run.updated", "agent_run.activity.created"
_OF_AGENTS = {
    AGENT_RUN_CREATE: EventKind(
        AGENT_RUN_CREATE, AGENT_RUN_CREATE, CREATED, "agent_run", False, "agents.runs:read", True
    ),
    AGENT_RUN_USER_PROMPT: EventKind(
        *(AGENT_RUN_USER_PROMPT, AGENT_RUN_USER_PROMPT, CREATED, "agent_run_activity", False),
        *("agents.run_activities:read", True),
    ),
    AGENT_RUN_UPDATED: EventKind(AGENT_RUN_UPDATED, "agent_run", UPDATED, "agent_run", False),
    AGENT_RUN_ACTIVITY_CREATED: EventKind(
        AGENT_RUN_ACTIVITY_CREATED, "agent_run_activity", CREATED, "agent_run_activity", False
    ),
}

PING = "webhook.ping"  # sent to one endpoint when it is saved, so that its author sees that it works


@cache
def list_kinds() -> Mapping[str, EventKind]:
    """Every kind by its name."""
    found = [
        EventKind(
            f"{name}.{action}", word, UPDATED if action == ARCHIVED else action, word, defined_by_plane, scope
        )
        for entities, defined_by_plane in ((_OF_PLANE, True), ((*_OF_AIRSIDE, *_of_records()), False))
        for name, word, actions, scope in entities
        for action in actions
    ]
    found += [
        EventKind(name, "app_installation", action, "app_installation", False)
        for name, action in _OF_APPS.items()
    ]
    found += _OF_AGENTS.values()
    found.append(EventKind(PING, "ping", CREATED, "webhook", False))
    return {kind.name: kind for kind in found}


def _of_records() -> list[_Entity]:
    """What operations record and no list here has. v1's word is made as Plane makes it."""
    listed = {name for name, *_ in (*_OF_PLANE, *_OF_AIRSIDE)}
    found: dict[str, _Entity] = {}
    for name, scope in find_declared().events.items():
        entity, action = entity_of(name), name.rpartition(".")[2]
        if entity in listed or name in _OF_APPS or name in _OF_AGENTS:
            continue
        word = entity.replace("workitem", "issue").replace(".", "_")
        known = found.get(entity, _Entity(entity, word, (), scope))
        found[entity] = known._replace(actions=(*known.actions, action))
    return list(found.values())


def entity_of(name: str) -> str:
    """`workitem.link` of `workitem.link.created`."""
    return name.rpartition(".")[0]


UNCHOSEN = frozenset({PING, *_OF_AGENTS})  # events that no webhook can subscribe to


def is_served(name: str) -> bool:
    """Whether the event can happen on this instance; Airside's own always can."""
    return name in find_declared().events or not get_kind(name).defined_by_plane


def get_kind(name: str) -> EventKind:
    """Raises ValueError for a name that isn't in the catalogue."""
    try:
        return list_kinds()[name]
    except KeyError:
        raise ValueError(f"{name!r} is not an event of airside/events/catalog.py") from None
