"""Append-only tables: triggers in the database refuse every UPDATE and DELETE.

A table is marked with `info={APPEND_ONLY: True}`; tools/revision.py writes the triggers into the migration that
creates it. An operator who must delete rows has to drop the triggers first.
"""

from sqlalchemy import Table

APPEND_ONLY = "append_only"

Statements = dict[str, list[str]]


def append_only_ddl(name: str) -> Statements:
    """Dialect → the statements that make the table of this name append-only."""
    return {"sqlite": _sqlite(name), "postgresql": _postgres(name)}


def is_append_only(table: Table) -> bool:
    return bool(table.info.get(APPEND_ONLY))


def _sqlite(name: str) -> list[str]:
    refuse = f"\nBEGIN SELECT RAISE(ABORT, '{name} can only be added to'); END"
    return [
        f"CREATE TRIGGER {name}_no_update BEFORE UPDATE ON {name}{refuse}",
        f"CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {name}{refuse}",
        # INSERT OR REPLACE deletes without firing the DELETE trigger.
        f"CREATE TRIGGER {name}_no_replace BEFORE INSERT ON {name}\n"  # noqa: S608 - a table's own name
        f"WHEN EXISTS (SELECT 1 FROM {name} WHERE id = NEW.id){refuse}",
    ]


def _postgres(name: str) -> list[str]:
    return [
        f"CREATE FUNCTION refuse_change_of_{name}() RETURNS trigger LANGUAGE plpgsql AS\n"
        f"$$ BEGIN RAISE EXCEPTION '{name} can only be added to'; END $$",
        f"CREATE TRIGGER {name}_no_change BEFORE UPDATE OR DELETE ON {name}\n"
        f"FOR EACH ROW EXECUTE FUNCTION refuse_change_of_{name}()",
        f"CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON {name}\n"
        f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_{name}()",
    ]
