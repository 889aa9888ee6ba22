"""The wire of Plane's API v2."""

from airside.rest.wire import Wire
from airside.rest.wires.v2.bulk_schemas import BULK_SCHEMAS
from airside.rest.wires.v2.errors import MEDIA_TYPE, error_body, error_status
from airside.rest.wires.v2.fields import read_shape
from airside.rest.wires.v2.filters import check_query, list_filters
from airside.rest.wires.v2.lists import list_page
from airside.rest.wires.v2.openapi_errors import ERROR_SCHEMAS, RESPONSES
from airside.rest.wires.v2.paging import PAGE_SCHEMA, page_schema
from airside.rest.wires.v2.query_parameters import query_of

V2 = Wire(
    name="v2",
    prefix="/api/v2",
    workspace="workspaces/{workspace_slug}/",
    summary="Plane's REST API v2, as far as this instance serves it.",
    error_type=MEDIA_TYPE,
    error_status=error_status,
    error_body=error_body,
    check_query=check_query,
    list_page=list_page,
    read_shape=read_shape,
    filters=list_filters,
    query=query_of,
    responses=RESPONSES,
    schemas={**ERROR_SCHEMAS, **BULK_SCHEMAS, "Page": PAGE_SCHEMA},
    page_schema=page_schema,
    only_json=True,
    is_sparse=True,
    writes_conflict=True,
)
