"""The recorded exchanges: requests with their answers, in the order in which they happened."""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "exchanges"
CORE, GATEWAY = "core", "gateway"


@dataclass(frozen=True)
class Exchange:
    n: int  # unique in its session
    step: str
    sender: str | None
    method: str
    path: str
    status: int
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: Any = None
    raw: str | None = None  # a body that isn't JSON
    answer: Any = None
    answer_headers: dict[str, Any] = field(default_factory=dict[str, Any])
    nth_request: int | None = None  # of many equal ones, of which this one is kept


@cache
def load_exchanges(session: str) -> tuple[Exchange, ...]:
    lines = (FOLDER / f"{session}.jsonl").read_text().splitlines()
    return tuple(_exchange(json.loads(line)) for line in lines)


def _exchange(row: dict[str, Any]) -> Exchange:
    return Exchange(sender=row.pop("as"), **row)


@cache
def load_rows(name: str) -> tuple[dict[str, Any], ...]:
    """`changes`: what each change set off; `webhooks`: whole webhooks."""
    return tuple(json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines())
