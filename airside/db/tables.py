"""The list of all modules that declare tables, for migrations and tests; records come with the API's table."""

from importlib import import_module

from sqlalchemy import MetaData

from airside.db.base import metadata

TABLE_FILES = (
    "airside.runtime.rate_budgets",
    "airside.rest.stored_answers",
    "airside.rest.followups",
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
    "airside.api.v1",  # the tables of records
    "airside.gateway.tables",
    "airside.assets.tables",
    "airside.marketplace.tables",
    "airside.agents.tables",
    "airside.moving.tables",
)


def load_tables() -> MetaData:
    """Import all of them, so that the metadata has every table."""
    for name in TABLE_FILES:
        import_module(name)
    return metadata
