"""Pages, collections with their members, and what a page is in or linked to.

A page is in one collection at most: `pages.collection_id`, beside a row of `collection_pages` with its place there.
A page in a private collection is private; a private page in no collection is its owner's alone.
"""

import sqlalchemy as sa

from airside.db.base import Id, Json, metadata, stamps, tenant_key
from airside.db.conditions import live
from airside.work.rows import index_parents, index_records, live_unique, two_level_row, workspace_row

PUBLIC, PRIVATE = 0, 1  # of pages and collections
VIEW, COMMENT, EDIT = 0, 1, 2  # of a collection's members

pages = sa.Table(
    "pages",
    metadata,
    *two_level_row(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description_html", sa.Text, nullable=False),
    sa.Column("description_stripped", sa.Text, nullable=False),
    sa.Column("description", Json),  # the editor's own format, which clients bring
    sa.Column("description_binary", sa.Text),
    sa.Column("owned_by_id", Id, nullable=False),
    sa.Column("access", sa.Integer, nullable=False),
    sa.Column("color", sa.Text, nullable=False),
    sa.Column("is_locked", sa.Boolean, nullable=False),
    sa.Column("archived_at", sa.Date),
    sa.Column("parent_id", Id),
    sa.Column("collection_id", Id),
    sa.Column("view_props", Json, nullable=False),
    sa.Column("logo_props", Json, nullable=False),
)
index_records(pages)
_of_workspace = pages.c.project_id.is_(None)
sa.Index(  # PostgreSQL reads no order from an index with `project_id` before it where that is null
    "ix_pages_of_workspace",
    pages.c.workspace_id,
    pages.c.created_at.desc(),
    pages.c.id.desc(),
    sqlite_where=_of_workspace,
    postgresql_where=_of_workspace,
)
index_parents(pages)
_filed = pages.c.collection_id.is_not(None)
sa.Index(
    "ix_pages_collection",
    pages.c.workspace_id,
    pages.c.collection_id,
    pages.c.parent_id,
    sqlite_where=_filed,
    postgresql_where=_filed,
)

collections = sa.Table(
    "collections",
    metadata,
    *workspace_row(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("owned_by_id", Id, nullable=False),
    sa.Column("access", sa.Integer, nullable=False),
    sa.Column("logo_props", Json, nullable=False),
    sa.Column("sort_order", sa.Float, nullable=False),
)
sa.Index(
    "ix_collections_order",
    collections.c.workspace_id,
    collections.c.sort_order,
    collections.c.id,
    sqlite_where=live(collections),
    postgresql_where=live(collections),
)

sa.Index("ix_collections_owner", collections.c.workspace_id, collections.c.owned_by_id)

collection_members = sa.Table(
    "collection_members",
    metadata,
    *workspace_row(),
    sa.Column("collection_id", Id, nullable=False),
    sa.Column("member_id", Id, nullable=False),  # the user
    sa.Column("access", sa.Integer, nullable=False),
)
live_unique(
    "uq_collection_members_live",
    collection_members.c.workspace_id,
    collection_members.c.collection_id,
    collection_members.c.member_id,
)
sa.Index(
    "ix_collection_members_member",
    collection_members.c.workspace_id,
    collection_members.c.member_id,
    collection_members.c.collection_id,
)

work_item_pages = sa.Table(
    "work_item_pages",
    metadata,
    *tenant_key(),
    sa.Column("project_id", Id, nullable=False),
    sa.Column("issue_id", Id, nullable=False),
    sa.Column("page_id", Id, nullable=False),
    *stamps(),
)
live_unique(
    "uq_work_item_pages_live",
    work_item_pages.c.workspace_id,
    work_item_pages.c.issue_id,
    work_item_pages.c.page_id,
)
sa.Index(
    "ix_work_item_pages_newest",
    work_item_pages.c.workspace_id,
    work_item_pages.c.issue_id,
    work_item_pages.c.created_at.desc(),
    work_item_pages.c.id.desc(),
)
sa.Index("ix_work_item_pages_page", work_item_pages.c.workspace_id, work_item_pages.c.page_id)

collection_pages = sa.Table(
    "collection_pages",
    metadata,
    *workspace_row(),
    sa.Column("collection_id", Id, nullable=False),
    sa.Column("page_id", Id, nullable=False),
    sa.Column("sort_order", sa.Float, nullable=False),
)
live_unique("uq_collection_pages_page", collection_pages.c.workspace_id, collection_pages.c.page_id)
sa.Index(
    "ix_collection_pages_order",
    collection_pages.c.workspace_id,
    collection_pages.c.collection_id,
    collection_pages.c.sort_order,
    collection_pages.c.id,
    sqlite_where=live(collection_pages),
    postgresql_where=live(collection_pages),
)
