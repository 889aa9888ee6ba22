"""The three batch operations of a face on v2: 200 with what became of each row, or 409 where all share one fate."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta

from airside.errors import Invalid
from airside.rest.body import Body
from airside.rest.bulk import MAX_ROWS, Outcome, bulk_create, bulk_delete, bulk_update
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.identifiers import identifiers_of
from airside.rest.route import Route
from airside.rest.wire import Json
from airside.rest.wires.v2.bulk_schemas import OUTCOME_SCHEMA, row_schema

Write = Callable[..., Awaitable[list[Outcome]]]

_Rows = Annotated[
    dict[str, Any], Meta(extra={"json_bytes": 5 * 1024 * 1024})
]  # as a body; a row's fields are bounded
_ID = "0198c1a2-7b3c-7d4e-8f50-617283940a1b"
_Ids = Annotated[str, Meta(max_length=100)]


class BulkIds(Body):
    example = {"ids": [_ID]}

    ids: Annotated[list[_Ids], Meta(description=f"1 to {MAX_ROWS} ids.")]
    all_or_none: bool = False


class BulkOut(Shown):
    """What became of each row, in their order."""

    results: Annotated[list[dict[str, Any]], Meta(extra_json_schema={"items": OUTCOME_SCHEMA})]
    succeeded: int
    failed: int


def _items_body(face: Face, verb: Literal["create", "update"]) -> type[Body]:
    """The body of a batch of rows. Its type lets any object through, since a row that isn't valid fails alone;
    OpenAPI shows the body of the face's own operation."""
    name, example = face.body.__name__, dict(face.body.example or {})
    if verb == "update":
        example = {"id": _ID, **dict([*example.items()][:1])}
    schema = {"items": row_schema(name, verb)}
    about = Meta(description=f"1 to {MAX_ROWS} rows.", extra_json_schema=schema)
    fields: list[Any] = [("items", Annotated[list[_Rows], about]), ("all_or_none", bool, False)]
    made = msgspec.defstruct(
        f"Bulk{verb.capitalize()}{name}", fields, bases=(Body,), namespace={"example": {"items": [example]}}
    )
    return cast(type[Body], made)


async def _run(face: Face, write: Write, key: str, result: str, call: Call) -> Json:
    rows = call.body[key]
    if not 1 <= len(rows) <= MAX_ROWS:
        raise Invalid({key: [f"Send 1 to {MAX_ROWS} in one request, not {len(rows)}."]})
    outcomes = await write(face, call, rows, all_or_none=call.body.get("all_or_none", False))
    results = [_show(face, number, outcome, result) for number, outcome in enumerate(outcomes)]
    failed = sum(outcome.error is not None for outcome in outcomes)
    return {"results": results, "succeeded": len(results) - failed, "failed": failed}


def _show(face: Face, number: int, outcome: Outcome, result: str) -> Json:
    named = {} if outcome.id is None else {"id": outcome.id}
    if outcome.error is None:
        return {"index": number, "result": result, **named}
    return {"index": number, "result": "failed", **face.wire.error_body(outcome.error), **named}


def bulk_routes(face: Face) -> list[Route]:
    """POST …/bulk-create, …/bulk-update and …/bulk-delete."""
    return [
        _route(face, "create", bulk_create, _items_body(face, "create"), "items"),
        _route(face, "update", bulk_update, _items_body(face, "update"), "items"),
        _route(face, "delete", bulk_delete, BulkIds, "ids"),
    ]


def _route(
    face: Face, verb: Literal["create", "update", "delete"], write: Write, body: type[Body], key: str
) -> Route:
    record, noun = face.record, f"{face.record.noun.lower()}s"
    done = f"{verb.rstrip('e')}ed"
    create_role = record.write_role if record.create_role is None else record.create_role
    return Route(
        method="POST",
        path=f"{face.wire.workspace}{face.path}/bulk-{verb}",
        handler=partial(_run, face, write, key, done),
        scope=f"{face.scope}:write",
        name=f"bulk_{verb}_{noun.replace(' ', '_')}",
        summary=f"{verb.capitalize()} up to {MAX_ROWS} {noun}",
        role=create_role if verb == "create" else record.write_role,
        body=body,
        shown=BulkOut,
        may_conflict=True,
        event=record.event and f"{record.event}.{done}",
        eventless=record.eventless,
        face=face,
        refuses_key="The rows of a batch are stored one by one, so its answer can't be kept with them.",
        identifiers=identifiers_of(face),
    )
