"""Writes the migration that leads from the last revision to today's tables.

    python tools/revision.py "Add the column color to projects"
    python tools/revision.py --initial        replace 0001 by one made from scratch (until the first release)

Read what it wrote before committing it: a renamed column shows as one dropped and one added.
"""

import asyncio
import subprocess
import sys
import tempfile
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render_python_code, renderers
from alembic.operations.ops import CreateIndexOp, CreateTableOp, MigrateOperation
from alembic.runtime.migration import MigrationContext
from sqlalchemy.types import UserDefinedType

from airside.db.append_only import append_only_ddl, is_append_only
from airside.db.base import Id, Instant, Json
from airside.db.migrate import MIGRATIONS, migrate, newest_revision, open_scripts
from airside.db.postgres import PostgresDatabase
from airside.db.sqlite import SqliteDatabase
from airside.db.tables import load_tables

STORED = {
    "airside.db.base.Id()": Id(),
    "airside.db.base.Instant()": Instant(),
    "airside.db.base.Json()": Json(),
    "sa.Text()": sa.Text(),
}
VERSIONS = MIGRATIONS / "versions"


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    if sys.argv[1] == "--initial":
        for path in VERSIONS.glob("[0-9]*.py"):
            path.unlink()
        write_revision("0001", "Every table of the first release")
    else:
        write_revision(f"{int(newest_revision()) + 1:04d}", sys.argv[1])


def write_revision(number: str, message: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/scratch.db"
        if any(VERSIONS.glob("[0-9]*.py")):
            asyncio.run(migrate(url))
        with sa.create_engine(url).connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": differs})
            operations: Any = produce_migrations(context, load_tables()).upgrade_ops
            spell_conditions(operations)
            guard_tables(operations)
            code = render_python_code(operations, migration_context=context, render_item=render)
    scripts, _ = open_scripts()
    script: Any = scripts.generate_revision(number, message, upgrades=code)
    for words in (["format"], ["check", "--fix"]):
        subprocess.run([sys.executable, "-m", "ruff", *words, "-q", script.path], check=True)


def differs(context: Any, inspected: Any, column: Any, inspected_type: Any, type_: Any) -> bool:
    """Types are compared by how they are written, since SQLite keeps Airside's own ones as TEXT."""
    dialect = context.dialect
    return type_.compile(dialect=dialect) != inspected_type.compile(dialect=dialect)


def render(kind: str, item: Any, _: Any) -> Any:
    """What Alembic would write in a way that only fits today's code, or only SQLite."""
    if kind == "type" and isinstance(item, UserDefinedType):
        # A room may refine a type; the migration only says what the column is made of.
        return next(text for text, type_ in STORED.items() if spelled(type_) == spelled(item))
    constant = getattr(item, "arg", None)
    if kind == "server_default" and isinstance(constant, sa.False_ | sa.True_):
        return f"sa.{constant}()"
    return False


def spell_conditions(operation: Any) -> None:
    """Write each partial index's condition as its own database spells it; Alembic would use SQLite's for both."""
    for inner in getattr(operation, "ops", ()):
        spell_conditions(inner)
    if isinstance(operation, CreateIndexOp) and "postgresql_where" in operation.kw:
        table = operation.to_index().table
        condition = operation.kw["postgresql_where"]
        text = condition.compile(dialect=PostgresDatabase.dialect, compile_kwargs={"literal_binds": True})
        operation.kw["postgresql_where"] = sa.text(str(text).replace(f"{table.name}.", ""))


class AppendOnlyOp(MigrateOperation):
    """The triggers of a table that can only be added to."""

    def __init__(self, table_name: str) -> None:
        self.table_name = table_name


@renderers.dispatch_for(AppendOnlyOp)
def render_append_only(context: Any, operation: AppendOnlyOp) -> list[str]:
    """Written out for both databases, so that the migration stays what it was."""
    lines: list[str] = []
    for dialect, statements in append_only_ddl(operation.table_name).items():
        lines.append(f"if op.get_context().dialect.name == {dialect!r}:")
        for statement in statements:
            written = "\n".join(repr(line) for line in statement.splitlines(keepends=True))
            lines.append(f"    op.execute(\n{written}\n    )")
    return ["\n".join(lines)]


def guard_tables(operations: Any) -> None:
    """After each new table that can only be added to, its triggers."""
    tables = load_tables().tables
    names = [op.table_name for op in operations.ops if isinstance(op, CreateTableOp)]
    operations.ops += [AppendOnlyOp(name) for name in names if is_append_only(tables[name])]


def spelled(type_: Any) -> list[str]:
    return [type_.compile(dialect=dialect) for dialect in (SqliteDatabase.dialect, PostgresDatabase.dialect)]


if __name__ == "__main__":
    main()
