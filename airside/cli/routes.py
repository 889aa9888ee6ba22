"""`airside routes`: lists every operation of the API: method, path, scope, event and file."""

import inspect
from functools import partial
from pathlib import Path
from typing import Any, cast

import typer

from airside.cli.console import Json, print_json

COLUMNS = ("method", "path", "scope", "event", "file")


def list_routes(as_json: Json = False) -> None:
    """List every operation of the API with its scope, event and file."""
    from airside.api.served import APIS
    from airside.rest.routes import list_routes as routes_of

    rows = [
        {
            "method": route.method,
            "path": f"{wire.prefix}/{path}/",
            "scope": route.scope or "",
            "event": route.event or "",
            "file": file_of(route),
        }
        for wire, table, *_ in APIS
        for route in routes_of(table)
        for path in (route.path, *route.aliases)
    ]
    if as_json:
        print_json({"routes": rows})
        return
    widths = {
        name: max(len(row[name]) for row in [*rows, dict(zip(COLUMNS, COLUMNS, strict=True))])
        for name in COLUMNS
    }
    for row in rows:
        typer.echo("  ".join(f"{row[name]:<{widths[name]}}" for name in COLUMNS).rstrip())


def file_of(route: Any) -> str:
    """The file that declares the operation, relative to the checkout."""
    target = cast(object, type(route.face.record) if route.face is not None else route.handler)
    while isinstance(target, partial):
        target = cast(partial[Any], target).func
    return str(Path(inspect.getfile(cast(Any, target))).relative_to(Path(__file__).parents[2]))
