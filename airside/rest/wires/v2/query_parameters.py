"""The query parameters of v2's operations, for OpenAPI."""

from airside.rest.face import Face
from airside.rest.filters import filters_of
from airside.rest.parameters import Query, described, one_of
from airside.rest.shaping import shown_names
from airside.rest.wires.v2.fields import ALL
from airside.rest.wires.v2.paging import PAGE_QUERY


def query_of(face: Face, verb: str) -> Query:
    """The parameters of a verb."""
    if verb == "delete":
        return {}
    return {**_shape_query(face), **(_list_query(face) if verb == "list" else {})}


def _shape_query(face: Face) -> Query:
    sentence = f"Only these fields and the id are answered, separated by commas; `{ALL}`: every field."
    fields = described(list[one_of((*shown_names(face.shown), ALL))], sentence)
    if not face.expands:
        return {"fields": fields}
    expand = "These fields are answered as objects in place of ids, separated by commas."
    return {"fields": fields, "expand": described(list[one_of(face.expands)], expand)}


def _list_query(face: Face) -> Query:
    both = [order for name in face.order_names for order in (name, f"-{name}")]
    sentence = "What the list is ordered by; a minus before it reverses the order."
    default = {"default": [face.order_by[0]]} if face.order_by[0] in both else {}
    return {
        "order_by": described(list[one_of(both)], sentence, **default),
        **filters_of(face).describe(),
        **PAGE_QUERY,
    }
