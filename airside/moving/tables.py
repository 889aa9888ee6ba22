"""What an import brought, so that the next run of it goes on where the last one ended."""

import sqlalchemy as sa

from airside.db.base import Id, Instant, metadata, tenant_key

# One for each source of a workspace: an exported workspace, or a workspace of another Plane.
imports = sa.Table(
    "imports",
    metadata,
    *tenant_key(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("made_workspace", sa.Boolean, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("finished_at", Instant),
)
sa.Index("uq_imports_source", imports.c.workspace_id, imports.c.source, unique=True)

# Written in the transaction that stores the record.
imported_records = sa.Table(
    "imported_records",
    metadata,
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("import_id", Id, nullable=False),
    sa.Column("source_id", Id, nullable=False),
    sa.Column("record_id", Id, nullable=False),
    sa.Column(
        "is_settled", sa.Boolean, nullable=False
    ),  # whether what forbids changes is set, such as archived_at
    sa.PrimaryKeyConstraint("workspace_id", "import_id", "source_id"),
)
