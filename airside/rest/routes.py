"""Reading the table: a declaration of a resource becomes its operations."""

from collections.abc import Sequence
from functools import partial

from airside.rest.openapi_parameters import list_query, shape_query
from airside.rest.resource import Resource, Route
from airside.rest.verbs import VERBS

PREFIX = "/api/v1"
WORKSPACE = "workspaces/{workspace_slug}/"

Table = Sequence[Resource | Route]


def list_routes(table: Table) -> list[Route]:
    """Every operation of the table, in order."""
    routes: list[Route] = []
    for entry in table:
        routes += [entry] if isinstance(entry, Route) else resource_routes(entry)
    return routes


def resource_routes(resource: Resource) -> list[Route]:
    """The operations of a declaration."""
    return [verb_route(resource, verb) for verb in resource.verbs]


def verb_route(resource: Resource, verb: str) -> Route:
    """The operation of one verb of a declaration."""
    one = verb in ("retrieve", "update", "delete")
    reads = verb in ("list", "retrieve")
    create_role = resource.write_role if resource.create_role is None else resource.create_role
    tail = f"/{{{resource.key}}}" if one else ""
    return Route(
        method={"list": "GET", "retrieve": "GET", "create": "POST", "update": "PATCH", "delete": "DELETE"}[
            verb
        ],
        path=WORKSPACE + resource.path + tail,
        aliases=tuple(WORKSPACE + path + tail for path in resource.aliases),
        handler=partial(VERBS[verb], resource),
        scope=f"{resource.scope}:{'read' if reads else 'write'}",
        name=_name_operation(resource, verb),
        summary=resource.summaries.get(verb) or _summarize(resource, verb),
        role=resource.read_role if reads else create_role if verb == "create" else resource.write_role,
        status={"create": resource.create_status, "delete": 204}.get(verb, 200),
        body=resource.body if verb in ("create", "update") else None,
        partial=verb == "update",
        shown=None if verb == "delete" else resource.shown,
        paged=verb == "list",
        may_conflict=verb in ("create", "update"),
        event=None if reads else f"{resource.event}.{verb.rstrip('e')}ed",
        resource=resource,
        query=list_query(resource) if verb == "list" else shape_query(resource) if reads else {},
    )


def _name_operation(resource: Resource, verb: str) -> str:
    noun = _pluralize(resource.noun) if verb == "list" else resource.noun
    return f"{verb}_{noun.lower().replace(' ', '_')}"


def _summarize(resource: Resource, verb: str) -> str:
    noun = resource.noun.lower()
    if verb == "list":
        return f"List {_pluralize(noun)}"
    return f"{verb.capitalize()} {'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _pluralize(noun: str) -> str:
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
