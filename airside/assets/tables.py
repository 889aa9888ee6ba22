"""Records of uploaded files; storage.py stores their bytes."""

import sqlalchemy as sa

from airside.db.base import Id, Instant, metadata

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
)
