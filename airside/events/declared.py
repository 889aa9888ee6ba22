"""What the API's table declares, for the catalogues of events and scopes.

The table is the only list of records, and rooms below it can't import it. So it is loaded by its name when a
catalogue is first read, as tables are for migrations (db/tables.py).
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import NamedTuple

TABLE_FILE = "airside.api.v1"


class Declared(NamedTuple):
    """What its operations require and record."""

    scopes: frozenset[str]
    events: Mapping[str, str]  # name, in the table's order → the scope that reads its record


@cache
def find_declared() -> Declared:
    return import_module(TABLE_FILE).DECLARED
