"""`airside migrate`: migrates the database to this version's schema."""

import asyncio

from airside.cli.console import Json, print_result


def migrate_database(as_json: Json = False) -> None:
    """Migrate the database to this version."""
    print_result(asyncio.run(_migrate()), as_json=as_json)


async def _migrate() -> dict[str, object]:
    from airside.cli.instance import bring_tables, open_instance, read_settings
    from airside.db.migrate import newest_revision

    site = await open_instance(read_settings(may_create=True))
    try:
        changed = await bring_tables(site)
    finally:
        await site.close()
    return {"revision": newest_revision(), "changed": changed}
