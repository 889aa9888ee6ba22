"""The wire of Plane's API v1."""

from airside.rest.wire import Wire
from airside.rest.wires.v1.errors import error_body
from airside.rest.wires.v1.filters import list_filters
from airside.rest.wires.v1.lists import list_page, read_shape
from airside.rest.wires.v1.openapi_errors import ERROR_SCHEMAS, RESPONSES
from airside.rest.wires.v1.paging import PAGE_SCHEMA, page_schema
from airside.rest.wires.v1.parameter_names import check_names
from airside.rest.wires.v1.paths import PREFIX, WORKSPACE
from airside.rest.wires.v1.query_parameters import query_of

V1 = Wire(
    name="v1",
    prefix=PREFIX,
    workspace=WORKSPACE,
    summary="Plane's REST API v1, as this instance serves it.",
    error_type="application/json",
    error_status=lambda error: error.status,
    error_body=error_body,
    check_query=check_names,
    list_page=list_page,
    read_shape=read_shape,
    filters=list_filters,
    query=query_of,
    responses=RESPONSES,
    schemas={**ERROR_SCHEMAS, "Page": PAGE_SCHEMA},
    page_schema=page_schema,
)
