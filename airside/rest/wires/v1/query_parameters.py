"""The query parameters of v1 with their types, for OpenAPI; those of a collection follow from its face."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from airside.rest.face import Face, Shown
from airside.rest.filters import filters_of
from airside.rest.parameters import Parameter, Query, described, one_of
from airside.rest.selection import sortable_columns
from airside.rest.shaping import shown_names
from airside.rest.wires.v1.paging import page_query

EXTERNAL: Query = {
    "external_id": Annotated[
        str,
        Meta(
            description="Only those with this `external_id`. With `external_source`: the answer is the one record "
            "that carries both, not a page; 404 where there is none."
        ),
    ],
    "external_source": Annotated[str, Meta(description="The system that `external_id` belongs to.")],
}


def fields_query(shown: type[Shown]) -> Query:
    names = one_of(shown_names(shown))
    return {"fields": described(list[names], "Only these fields are answered, separated by commas.")}


def shape_query(face: Face) -> Query:
    """What `lists.read_shape` reads."""
    if not face.expands:
        return fields_query(face.shown)
    sentence = "These fields are answered as objects in place of ids, separated by commas."
    return {
        **fields_query(face.shown),
        "expand": described(list[one_of(face.expands)], sentence),
    }


def order_query(names: Iterable[str], default: str | None = None) -> Query:
    """Ascending, or with a minus before it descending."""
    both = [order for name in sorted(names) for order in (name, f"-{name}")]
    schema = {"default": default} if default in both else {}
    sentence = "What the list is ordered by; a minus before it reverses the order."
    return {"order_by": described(one_of(both), sentence, **schema)}


def list_query(face: Face) -> Query:
    """Every parameter of a declared collection's list."""
    default = face.order_by[0] if len(face.order_by) == 1 else None
    return {
        **shape_query(face),
        **order_query({*sortable_columns(face), *face.orders}, default),
        **filters_of(face).describe(),
        **(EXTERNAL if "external_id" in face.table.c else {}),
        **page_query(face.page_size, face.page_limit),
        **{
            name: kind.describe(name) if isinstance(kind, Parameter) else kind
            for name, kind in face.queries.items()
        },
    }


def query_of(face: Face, verb: str) -> Query:
    """The parameters of a verb; those of a write are honoured, and not described."""
    if verb == "list":
        return list_query(face)
    return shape_query(face) if verb == "retrieve" else {}
