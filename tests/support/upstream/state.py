"""All of a stand-in in one file, written before each answer, so that its process can be killed and restarted."""

import os
import pickle
from pathlib import Path
from typing import Any

from tests.support.upstream.site import Site


def load_state(site: Site, file: Path) -> bool:
    """Whether there was one."""
    if not file.exists():
        return False
    kept: dict[str, Any] = pickle.loads(file.read_bytes())
    for name, rows in kept["tables"].items():
        getattr(site.store, name).rows.update(rows)
    site.sessions.update(kept["sessions"])
    site.files.update(kept["files"])
    site.configuration = {row["key"]: row for row in site.store.instance_configurations.all()}
    return True


def keep_state(site: Site, file: Path) -> None:
    """Rows, sessions and uploads. What waits in the worker isn't in it: a kill loses that."""
    last = b""

    async def write() -> None:
        nonlocal last
        tables = {name: table.rows for name, table in site.store.tables.items()}
        kept = pickle.dumps({"tables": tables, "sessions": site.sessions, "files": site.files})
        if kept != last:
            beside = file.with_suffix(".new")
            beside.write_bytes(kept)
            os.replace(beside, file)
            last = kept

    site.flushes.append(write)
