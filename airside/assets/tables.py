"""What is stored of uploaded files; their bytes are in storage.py's keeping."""

import sqlalchemy as sa

from airside.db.base import Id, Instant, metadata

assets = sa.Table(
    "assets",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("workspace_id", Id),  # null: a person's own, such as their picture
    sa.Column("user_id", Id, nullable=False, index=True),  # who asked for the upload
    sa.Column("entity_type", sa.Text, nullable=False),  # USER_AVATAR | USER_COVER
    sa.Column("name", sa.Text, nullable=False),  # the file's, as the client called it
    sa.Column("content_type", sa.Text),  # as declared, then as the bytes say; null until either
    sa.Column("size", sa.Integer, nullable=False),  # bytes: the most that may come, then what came
    sa.Column("received_at", Instant),  # when the bytes came
    sa.Column("confirmed_at", Instant),  # when the client said that it was done: served from then on
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("deleted_at", Instant),
)
