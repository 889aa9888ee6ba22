"""Every API of an instance: its wire, its table, its description and where that is served."""

from collections.abc import Callable
from typing import Any, NamedTuple

from airside.api import v1, v2
from airside.rest.routes import Table
from airside.rest.wire import Wire
from airside.rest.wires.v1.wire import V1
from airside.rest.wires.v2.wire import V2


class Api(NamedTuple):
    """One API; `describe` makes its OpenAPI document for an origin."""

    wire: Wire
    table: Table
    describe: Callable[[str], dict[str, Any]]
    described_at: str


APIS = (
    Api(V1, v1.TABLE, v1.describe_v1, "/api/openapi.json"),
    Api(V2, v2.TABLE, v2.describe_v2, "/api/v2/schema"),
)
