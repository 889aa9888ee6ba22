"""A record of the kinds that have a plain page, made over the API by their declarations' own examples. Those whose
example names another record aren't made."""

import re
from dataclasses import dataclass, field
from typing import Any, cast

import requests

from airside.api.v1 import TABLE
from airside.portal.work.record_kinds import KINDS, Kind
from airside.rest.routes import list_routes

_EXAMPLES: dict[str, Any] = {
    route.path: route.body.example for route in list_routes(TABLE) if route.method == "POST" and route.body
}


@dataclass
class Made:
    """The records: a value for each parameter of a path, and the pages of those of the workspace."""

    known: dict[str, str] = field(default_factory=dict[str, str])
    special: dict[str, str] = field(default_factory=dict[str, str])


def make_records(url: str, api_key: str, known: dict[str, str]) -> Made:
    """Make them in the project and workspace that `known` names."""
    made = Made()
    for kind in sorted(KINDS, key=lambda one: one.api_path.count("/")):
        path = _fill(kind.route.path, known | made.known)
        if path is None:
            continue
        record_id = _make(f"{url}/api/v1/{path}/", api_key, kind)
        if record_id is None:
            continue
        key = kind.retrieve.path.rpartition("/")[2] if kind.retrieve else f"{{{kind.face.key}}}"
        if kind.in_project:
            made.known.setdefault(key.strip("{}"), record_id)
        else:
            made.special[f"/{{slug}}/{kind.path}/{key}"] = f"/acme/{kind.path}/{record_id}/"
    return made


def _fill(path: str, known: dict[str, str]) -> str | None:
    names = re.findall(r"{(\w+)}", path)
    return path.format(**known) if all(name in known for name in names) else None


def _make(url: str, api_key: str, kind: Kind) -> str | None:
    body = _EXAMPLES.get(kind.route.path)
    if body is None:
        return None
    answer = requests.post(url, json=body, headers={"X-API-Key": api_key}, timeout=30)
    made: Any = answer.json() if answer.ok else None
    return cast("dict[str, Any]", made).get("id") if isinstance(made, dict) else None
