"""Reading the table: a declaration of a face becomes its operations."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from airside.events.declared import Declared
from airside.rest.face import Face
from airside.rest.identifiers import identifiers_of
from airside.rest.route import Route
from airside.rest.verbs import VERBS

Table = Sequence[Face | Route]


def list_routes(table: Table) -> list[Route]:
    """Every operation of the table, in order."""
    routes: list[Route] = []
    for entry in table:
        routes += [entry] if isinstance(entry, Route) else face_routes(entry)
    return routes


def declare(table: Table) -> Declared:
    """What the catalogues of scopes and events get from the table."""
    routes = list_routes(table)
    return Declared(
        frozenset(route.scope for route in routes if route.scope and not route.is_placeholder),
        {
            event: f"{(route.scope or '').rpartition(':')[0]}:read"
            for route in routes
            for event in (route.event, route.other_event)
            if event
        },
    )


def face_routes(face: Face) -> list[Route]:
    """The operations of a declaration."""
    return [verb_route(face, verb) for verb in face.verbs]


def verb_route(face: Face, verb: str) -> Route:
    """The operation of one verb of a declaration."""
    one = verb in ("retrieve", "update", "delete")
    reads = verb in ("list", "retrieve")
    record, wire = face.record, face.wire
    create_role = record.write_role if record.create_role is None else record.create_role
    return Route(
        method={"list": "GET", "retrieve": "GET", "create": "POST", "update": "PATCH", "delete": "DELETE"}[
            verb
        ],
        **place_of(face, f"/{{{face.key}}}" if one else ""),
        handler=partial(VERBS[verb], face),
        scope=f"{face.scope}:{'read' if reads else 'write'}",
        name=_name_operation(face, verb),
        summary=face.summaries.get(verb) or _summarize(face, verb),
        role=record.read_role if reads else create_role if verb == "create" else record.write_role,
        status={"create": face.create_status, "delete": 204}.get(verb, 200),
        body=face.body if verb in ("create", "update") else None,
        partial=verb == "update",
        shown=None if verb == "delete" else face.shown,
        paged=verb == "list",
        may_conflict=verb in ("create", "update"),
        event=None if reads or record.event is None else f"{record.event}.{verb.rstrip('e')}ed",
        eventless=None if reads else record.eventless,
        face=face,
        query=wire.query(face, verb),
    )


def place_of(face: Face, tail: str = "") -> dict[str, Any]:
    """Where a face's operation is: `path` and `aliases`, with the tail at their end, and `identifiers`."""
    path, *aliases = (f"{face.wire.workspace}{path}{tail}" for path in (face.path, *face.aliases))
    return {"path": path, "aliases": tuple(aliases), "identifiers": identifiers_of(face)}


def _name_operation(face: Face, verb: str) -> str:
    noun = face.noun or face.record.noun
    noun = pluralize(noun) if verb == "list" else noun
    return f"{verb}_{noun.lower().replace(' ', '_')}"


def _summarize(face: Face, verb: str) -> str:
    noun = (face.noun or face.record.noun).lower()
    if verb == "list":
        return f"List {pluralize(noun)}"
    return f"{verb.capitalize()} {'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def pluralize(noun: str) -> str:
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
