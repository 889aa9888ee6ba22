"""Tables of listings and verified publishers."""

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, metadata, stamps, tenant_key

# `state`: of the version that the author works on
DRAFT, SUBMITTED, CHANGES_REQUESTED, APPROVED = "draft", "submitted", "changes_requested", "approved"
# `standing`: of the public version
UNLISTED, LISTED, DELISTED, WITHDRAWN = "unlisted", "listed", "delisted", "withdrawn"

listings = sa.Table(
    "listings",
    metadata,
    *tenant_key(),  # of the workspace that registered the app
    sa.Column("app_id", Id, nullable=False, unique=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("content", Json, nullable=False),  # what the author wrote, as content.Content
    sa.Column("submitted", Json),  # frozen for review, as snapshot.Snapshot; null unless state is submitted
    sa.Column("submitted_at", Instant),
    sa.Column("submitted_by_id", Id),
    sa.Column(
        "review_words", sa.Text, nullable=False, server_default=""
    ),  # the operator's last message to the author
    sa.Column("reviewed_at", Instant),
    sa.Column("reviewed_by_id", Id),  # null: from the command line
    sa.Column("published", Json),  # the approved snapshot, public while standing is listed
    sa.Column("published_at", Instant),
    # Copied from `published`, for filters and search.
    sa.Column("slug", sa.Text, nullable=False, unique=True),  # the app's
    sa.Column("category", sa.Text, nullable=False, server_default=""),
    sa.Column("audience", sa.Text, nullable=False, server_default=""),
    sa.Column("search_text", sa.Text, nullable=False, server_default=""),  # lower case
    sa.Column("imported_from", sa.Text, nullable=False, server_default=""),  # the instance that exported it
    *stamps(),
)
sa.Index("ix_listings_standing", listings.c.standing, listings.c.category)
sa.Index("ix_listings_state", listings.c.state, listings.c.submitted_at)

verified_publishers = sa.Table(
    "verified_publishers",
    metadata,
    # The name is part of the key: a workspace verified as one publisher isn't verified under another name.
    sa.Column("workspace_id", Id, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("verified_at", Instant, nullable=False),
    sa.Column("verified_by_id", Id),  # null: from the command line
)
