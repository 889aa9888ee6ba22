"""Records of uploaded files; storage.py stores their bytes."""

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, metadata, stamps, tenant_key
from airside.db.conditions import live

assets = sa.Table(
    "assets",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("workspace_id", Id),  # null for a person's own file, such as their avatar
    sa.Column("user_id", Id, nullable=False, index=True),  # who requested the upload
    sa.Column("entity_type", sa.Text, nullable=False),  # USER_AVATAR | USER_COVER
    sa.Column("name", sa.Text, nullable=False),  # file name given by the client
    sa.Column("content_type", sa.Text),  # as declared, then as detected; null until either
    sa.Column("size", sa.Integer, nullable=False),  # bytes: the maximum, then the received size
    sa.Column("received_at", Instant),  # when the file was received
    sa.Column("confirmed_at", Instant),  # when the client confirmed the upload: served from then on
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("deleted_at", Instant),
    sa.Column("removed_at", Instant),  # of a deleted one: when the storage deleted its bytes
    sa.Column("stored_id", Id),  # names its bytes in the storage; null: its own id
)
_unconfirmed = sa.and_(live(assets), assets.c.confirmed_at.is_(None))
_unremoved = sa.and_(assets.c.deleted_at.is_not(None), assets.c.removed_at.is_(None))
sa.Index(
    "ix_assets_unconfirmed",
    assets.c.created_at,
    sqlite_where=_unconfirmed,
    postgresql_where=_unconfirmed,
)
sa.Index("ix_assets_unremoved", assets.c.deleted_at, sqlite_where=_unremoved, postgresql_where=_unremoved)

# Attachments of work items, and files of workspaces, which have no `issue_id`.
files = sa.Table(
    "files",
    metadata,
    *tenant_key(),
    sa.Column("project_id", Id),
    *stamps(),
    sa.Column("external_source", sa.Text),
    sa.Column("external_id", sa.Text),
    sa.Column("issue_id", Id),
    sa.Column("entity_type", sa.Text, nullable=False),  # ISSUE_ATTACHMENT | WORKSPACE_FILE
    sa.Column("name", sa.Text, nullable=False),  # for people
    sa.Column("content_type", sa.Text, nullable=False),  # as declared
    sa.Column("size", sa.BigInteger, nullable=False),  # bytes: as declared, then as received
    sa.Column("is_uploaded", sa.Boolean, nullable=False),  # the client confirmed it: shown from then on
    sa.Column("storage_metadata", Json, nullable=False),
    sa.Column("removed_at", Instant),  # of a deleted one: when the storage deleted its bytes
    sa.Column("stored_id", Id),  # names the bytes of a complete one, see `Storage.settle`; null: its own id
)
_under = (files.c.workspace_id, files.c.issue_id)
sa.Index("ix_files_newest", *_under, files.c.created_at.desc(), files.c.id.desc())
_has_external = files.c.external_id.is_not(None)
sa.Index(
    "ix_files_external",
    *_under,
    files.c.external_source,
    files.c.external_id,
    sqlite_where=_has_external,
    postgresql_where=_has_external,
)
# What the worker looks for: files that nobody confirmed, bytes of deleted ones, attachments of deleted projects.
_unconfirmed = sa.and_(live(files), files.c.is_uploaded.is_(sa.false()))
_unremoved = sa.and_(files.c.deleted_at.is_not(None), files.c.removed_at.is_(None))
_attached = sa.and_(live(files), files.c.issue_id.is_not(None))
sa.Index(
    "ix_files_unconfirmed",
    files.c.created_at,
    sqlite_where=_unconfirmed,
    postgresql_where=_unconfirmed,
)
sa.Index("ix_files_unremoved", files.c.deleted_at, sqlite_where=_unremoved, postgresql_where=_unremoved)
sa.Index(
    "ix_files_attached",
    files.c.workspace_id,
    files.c.project_id,
    sqlite_where=_attached,
    postgresql_where=_attached,
)

# The bytes of a workspace's files, so that its limit is checked without adding up its rows.
file_usage = sa.Table(
    "file_usage",
    metadata,
    sa.Column("workspace_id", Id, primary_key=True),
    sa.Column("bytes", sa.BigInteger, nullable=False),
)

# Deleted projects whose attachments the worker still has to delete.
file_endings = sa.Table(
    "file_endings",
    metadata,
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("project_id", Id, nullable=False),
    sa.PrimaryKeyConstraint("workspace_id", "project_id"),
)
