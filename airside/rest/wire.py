"""What a wire decides: where it is served, its errors, lists and query parameters, and how these are described.

The engine asks a face's wire for all of it. The wires are in `wires/`, beside each other; nothing else knows their
shapes.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from airside.errors import AirsideError
from airside.rest.call import Call
from airside.rest.parameters import Parameter, Query

if TYPE_CHECKING:
    from airside.rest.face import Face
    from airside.rest.route import Route

Json = dict[str, Any]


class Shape(NamedTuple):
    """Which fields of a record an answer has, and which of them as objects. A name that isn't shown is ignored."""

    fields: Sequence[str] | None = None  # None: all
    expand: Sequence[str] = ()


WHOLE = Shape()


class ErrorResponse(NamedTuple):
    """One status; `schemas` are the shapes that its body may have, `samples` errors that have them."""

    name: str
    sentence: str
    schemas: Sequence[str]
    samples: Mapping[str, AirsideError]
    headers: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Wire:
    """One wire of the API."""

    name: str  # "v1"
    prefix: str  # "/api/v1"
    workspace: str  # the path of everything in a workspace, below the prefix
    summary: str  # what it is, for OpenAPI

    error_type: str  # media type
    error_status: Callable[[AirsideError], int]
    error_body: Callable[[AirsideError], Any]
    check_query: Callable[["Route", Mapping[str, str]], None]  # raises Invalid for names it refuses

    list_page: Callable[["Face", Call], Awaitable[Any]]  # what a list answers
    read_shape: Callable[["Face", Mapping[str, str]], Shape]  # of one record
    filters: Callable[["Face"], Mapping[str, Parameter]]  # of a list, by parameter

    query: Callable[["Face", str], Query]  # the parameters of a verb
    responses: Mapping[int, ErrorResponse]  # status → what OpenAPI says about it
    schemas: Mapping[str, Json]  # of errors and envelopes
    page_schema: Callable[[Json], Json]  # of a page of these items
    only_json: bool = False  # whether a body of another media type is refused
    is_sparse: bool = False  # whether an answer may lack any field but the id
    writes_conflict: bool = False  # whether every write may be answered with 409
