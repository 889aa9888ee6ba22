"""The list of all modules that declare tables, for migrations and tests."""

from importlib import import_module

from sqlalchemy import MetaData

from airside.db.base import metadata

TABLE_FILES = (
    "airside.runtime.rate_budgets",
    "airside.rest.stored_answers",
    "airside.identity.tables",
    "airside.workspaces.tables",
    "airside.apps.tables",
    "airside.installations.tables",
    "airside.oauth.tables",
    "airside.developer.tables",
    "airside.audit.tables",
    "airside.live.tables",
    "airside.events.tables",
    "airside.webhooks.tables",
    "airside.metrics.tables",
    "airside.work.projects.tables",
    "airside.work.projects.states",
    "airside.work.projects.labels",
    "airside.work.work_items.tables",
    "airside.work.work_items.comments",
    "airside.work.work_items.activities",
    "airside.work.work_items.links",
    "airside.work.work_items.worklogs",
    "airside.work.projects.pages",
    "airside.work.stickies",
    "airside.assets.tables",
    "airside.marketplace.tables",
    "airside.agents.tables",
)


def load_tables() -> MetaData:
    """Import all of them, so that the metadata has every table."""
    for name in TABLE_FILES:
        import_module(name)
    return metadata
