"""Every scope with its consent sentence, and what a grant of scopes covers.

Plane publishes 83 granular scopes for apps,, names more in its reference; its clients also ask for the umbrella
scopes `read` and `write`, or none. A *grant* is the list that is stored with installations, consents and tokens:

    projects:read …   granular scopes
    read, write       the umbrella scopes as the client requested them: only repeated in replies, because clients
                      compare requested and granted scopes. They allow nothing by themselves.
    *:read, *:write   every scope of that kind, also for resources that have no published scope: the grant of an
                      app that registered no scopes, since Plane doesn't limit such apps by scope

An umbrella scope expands to what the app is registered for at the time of the grant: an app that later registers
for more has to request it again.
"""

from collections.abc import Iterable
from typing import NamedTuple

from airside.events.declared import find_declared

Grant = list[str]
READ, WRITE = "read", "write"
ANY_READ, ANY_WRITE = "*:read", "*:write"
EVERYTHING: Grant = [ANY_READ, ANY_WRITE]


class Scope(NamedTuple):
    """`sentence` completes "This app will be able to …" in a list; `group` is the list's heading."""

    name: str
    group: str
    sentence: str


SCOPES: tuple[Scope, ...] = (
    Scope("projects:read", "Projects", "See projects"),
    Scope("projects:write", "Projects", "Create, change and archive projects"),
    Scope("projects.features:read", "Projects", "See which features a project uses"),
    Scope("projects.features:write", "Projects", "Turn features of a project on and off"),
    Scope("projects.members:read", "Projects", "See who belongs to a project"),
    Scope("projects.members:write", "Projects", "Add people to projects and remove them"),
    Scope("projects.states:read", "Projects", "See the states of work items"),
    Scope("projects.states:write", "Projects", "Create and change states of work items"),
    Scope("projects.labels:read", "Projects", "See labels"),
    Scope("projects.labels:write", "Projects", "Create and change labels"),
    Scope("projects.intakes:read", "Planning", "See intake requests"),
    Scope("projects.intakes:write", "Planning", "File and decide on intake requests"),
    Scope("projects.epics:read", "Planning", "See epics"),
    Scope("projects.epics:write", "Planning", "Create and change epics"),
    Scope("projects.cycles:read", "Planning", "See cycles"),
    Scope("projects.cycles:write", "Planning", "Create and change cycles"),
    Scope("projects.pages:read", "Projects", "Read project pages"),
    Scope("projects.pages:write", "Projects", "Write project pages"),
    Scope("projects.modules:read", "Planning", "See modules"),
    Scope("projects.modules:write", "Planning", "Create and change modules"),
    Scope("projects.work_items:read", "Work items", "See work items"),
    Scope("projects.work_items:write", "Work items", "Create, change and delete work items"),
    Scope("projects.work_items.comments:read", "Work items", "Read comments on work items"),
    Scope("projects.work_items.comments:write", "Work items", "Write comments on work items"),
    Scope("projects.work_items.attachments:read", "Work items", "See and download attachments"),
    Scope("projects.work_items.attachments:write", "Work items", "Add and remove attachments"),
    Scope("projects.work_items.links:read", "Work items", "See links on work items"),
    Scope("projects.work_items.links:write", "Work items", "Add and change links on work items"),
    Scope("projects.work_items.relations:read", "Work items", "See how work items relate"),
    Scope("projects.work_items.relations:write", "Work items", "Relate work items to each other"),
    Scope("projects.work_items.activities:read", "Work items", "See the history of work items"),
    Scope("projects.work_items.activities:write", "Work items", "Add to the history of work items"),
    Scope("projects.work_items.worklogs:read", "Work items", "See logged work"),
    Scope("projects.work_items.worklogs:write", "Work items", "Log work and change logged work"),
    Scope("projects.work_item_types:read", "Work item types and properties", "See types of work items"),
    Scope(
        "projects.work_item_types:write",
        "Work item types and properties",
        "Create and change types of work items",
    ),
    Scope(
        "projects.work_item_properties:read",
        "Work item types and properties",
        "See custom properties of work items",
    ),
    Scope(
        "projects.work_item_properties:write", "Projects", "Create and change custom properties of work items"
    ),
    Scope(
        "projects.work_item_property_options:read",
        "Work item types and properties",
        "See the options of custom properties",
    ),
    Scope(
        "projects.work_item_property_options:write",
        "Projects",
        "Create and change options of custom properties",
    ),
    Scope(
        "projects.work_item_property_values:read",
        "Work item types and properties",
        "See the values of custom properties",
    ),
    Scope(
        "projects.work_item_property_values:write",
        "Work item types and properties",
        "Set the values of custom properties",
    ),
    Scope("projects.estimates:read", "Planning", "See estimates"),
    Scope("projects.estimates:write", "Planning", "Create and change estimates"),
    Scope(
        "workspaces.work_item_types:read",
        "Work item types and properties",
        "See types of work items that the whole workspace uses",
    ),
    Scope(
        "workspaces.work_item_types:write",
        "Work item types and properties",
        "Create and change types of work items that the whole workspace uses",
    ),
    Scope(
        "workspaces.work_item_properties:read",
        "Work item types and properties",
        "See custom properties that the whole workspace uses",
    ),
    Scope(
        "workspaces.work_item_properties:write",
        "Work item types and properties",
        "Create and change custom properties that the whole workspace uses",
    ),
    Scope("projects.milestones:read", "Planning", "See milestones"),
    Scope("projects.milestones:write", "Planning", "Create and change milestones"),
    Scope("wiki.pages:read", "Wiki", "Read wiki pages"),
    Scope("wiki.pages:write", "Wiki", "Write wiki pages"),
    Scope("customers:read", "Customers", "See customers"),
    Scope("customers:write", "Customers", "Create and change customers"),
    Scope("customers.requests:read", "Customers", "See requests of customers"),
    Scope("customers.requests:write", "Customers", "Create and change requests of customers"),
    Scope("customers.properties:read", "Customers", "See custom properties of customers"),
    Scope("customers.properties:write", "Customers", "Create and change custom properties of customers"),
    Scope("customers.property_values:read", "Customers", "See the values of customers' properties"),
    Scope("customers.property_values:write", "Customers", "Set the values of customers' properties"),
    Scope("customers.work_items:read", "Customers", "See which work items belong to a customer"),
    Scope("customers.work_items:write", "Customers", "Link work items to customers"),
    Scope("initiatives:read", "Initiatives", "See initiatives"),
    Scope("initiatives:write", "Initiatives", "Create and change initiatives"),
    Scope("initiatives.projects:read", "Initiatives", "See the projects of initiatives"),
    Scope("initiatives.projects:write", "Initiatives", "Add projects to initiatives and remove them"),
    Scope("initiatives.epics:read", "Initiatives", "See the epics of initiatives"),
    Scope("initiatives.epics:write", "Initiatives", "Add epics to initiatives and remove them"),
    Scope("initiatives.labels:read", "Initiatives", "See labels of initiatives"),
    Scope("initiatives.labels:write", "Initiatives", "Create and change labels of initiatives"),
    Scope("workspaces.members:read", "Workspace", "See who belongs to the workspace"),
    Scope("workspaces.members:write", "Workspace", "Add people to the workspace and remove them"),
    Scope("workspaces.features:read", "Workspace", "See which features the workspace uses"),
    Scope("workspaces.features:write", "Workspace", "Turn features of the workspace on and off"),
    Scope(
        "workspaces.work_item_relation_definitions:read",
        "Workspace",
        "See the workspace's own relations between work items",
    ),
    Scope(
        "workspaces.work_item_relation_definitions:write",
        "Workspace",
        "Define the workspace's own relations between work items",
    ),
    Scope("stickies:read", "Stickies", "Read your stickies"),
    Scope("stickies:write", "Stickies", "Write your stickies"),
    Scope("teamspaces:read", "Teamspaces", "See teamspaces"),
    Scope("teamspaces:write", "Teamspaces", "Create and change teamspaces"),
    Scope("teamspaces.projects:read", "Teamspaces", "See the projects of teamspaces"),
    Scope("teamspaces.projects:write", "Teamspaces", "Add projects to teamspaces and remove them"),
    Scope("teamspaces.members:read", "Teamspaces", "See who belongs to teamspaces"),
    Scope("teamspaces.members:write", "Teamspaces", "Add people to teamspaces and remove them"),
    Scope("profile:read", "Profile", "See your name, e-mail address and picture"),
    Scope("assets:read", "Files", "See and download uploaded files"),
    Scope("assets:write", "Files", "Upload and remove files"),
    Scope("agents.runs:read", "Agent runs", "See runs of the agent"),
    Scope("agents.runs:write", "Agent runs", "Start and stop runs of the agent"),
    Scope("agents.run_activities:read", "Agent runs", "See what the agent does in its runs"),
    Scope("agents.run_activities:write", "Agent runs", "Report what the agent does in its runs"),
)
UMBRELLAS = (
    Scope(READ, "Everything", "Read everything that the app is registered for"),
    Scope(WRITE, "Everything", "Change everything that the app is registered for"),
)
BY_NAME = {scope.name: scope for scope in SCOPES}
_ANY = {
    ANY_READ: Scope(ANY_READ, "Everything", "See everything in the workspace that the role allows"),
    ANY_WRITE: Scope(ANY_WRITE, "Everything", "Change everything in the workspace that the role allows"),
}


# Only for apps that an admin registered: these scopes change memberships or the workspace itself.
PRIVILEGED = frozenset(
    name
    for name in BY_NAME
    if name.endswith(":write") and (name.startswith("workspaces.") or name.endswith(".members:write"))
)
UNPRIVILEGED = tuple(name for name in BY_NAME if name not in PRIVILEGED)


def ceiling_of(registered: Iterable[str]) -> Grant:
    """The most an app may be granted: its registered scopes, or every scope if it registered none."""
    return list(registered) or EVERYTHING


def is_served(name: str) -> bool:
    """Whether any operation of this instance requires the scope."""
    return name in find_declared().scopes


def join_scopes(one: Grant, other: Grant) -> Grant:
    """The union of both grants, without umbrella scopes."""
    joined = dict.fromkeys(drop_umbrellas([*one, *other]))
    return [name for name in joined if name in _ANY or f"*:{kind_of(name)}" not in joined]


def covers(grant: Grant, scope: str) -> bool:
    """Whether the grant allows the scope, which may be a `*:` one."""
    return scope in grant or (scope not in (READ, WRITE) and f"*:{kind_of(scope)}" in grant)


def is_nothing(grant: Grant) -> bool:
    return not drop_umbrellas(grant)


def readable_scopes(grant: Grant) -> list[str] | None:
    """The `:read` scopes of the grant. None: reading isn't limited by scope."""
    return (
        None if ANY_READ in grant else [word for word in grant if word in BY_NAME and is_of_kind(word, READ)]
    )


def describe_scopes(grant: Grant) -> dict[str, list[str]]:
    """Group → sentences, in the table's order, for the consent screen."""
    groups: dict[str, list[str]] = {}
    for scope in (*_ANY.values(), *SCOPES):
        if scope.name in grant:
            groups.setdefault(scope.group, []).append(scope.sentence)
    return groups


def check_registrable(names: Iterable[str]) -> list[str]:
    """The scopes of a registration, each once; an umbrella scope registers for every scope of its kind.

    Raises ValueError with the name of an unknown scope."""
    chosen: dict[str, None] = {}
    for name in names:
        wide = f"*:{name}" if name in (READ, WRITE) else name
        if wide not in BY_NAME and wide not in _ANY:
            raise ValueError(name)
        chosen[wide] = None
    return [name for name in chosen if name in _ANY or f"*:{kind_of(name)}" not in chosen]


def drop_umbrellas(words: Iterable[str]) -> list[str]:
    """Without `read` and `write`, which allow nothing by themselves."""
    return [word for word in words if word not in (READ, WRITE)]


def kind_of(scope: str) -> str:
    """`read` or `write`."""
    return scope.rpartition(":")[2]


def is_of_kind(scope: str, kind: str) -> bool:
    return scope.endswith(f":{kind}")
