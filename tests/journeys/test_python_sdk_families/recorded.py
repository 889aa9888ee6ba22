"""The events of a running instance, read from its database beside it."""

import json
import sqlite3
from contextlib import closing
from typing import Any

from tests.journeys.conftest import Stage


def list_recorded(stage: Stage, entity: str) -> list[tuple[str, Any]]:
    """Name and data of each event of this kind, such as workitem.relation, in order."""
    path = stage.instance.folder / "data" / "airside.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT name, data FROM events WHERE name LIKE ? ORDER BY rowid", (f"{entity}.%",))
        return [(name, json.loads(data)) for name, data in rows if name.rpartition(".")[0] == entity]
