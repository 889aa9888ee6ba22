"""Opens the database of a URL: the only place that knows both engines."""

from airside.db.database import Database


async def open_database(url: str, pool: int | None = None) -> Database:
    """Open the database of the URL: `sqlite:///path/to/file` or `postgresql://user@host:port/name`.

    `pool` limits the connections to PostgreSQL. Raises ValueError for any other scheme."""
    if url.startswith("sqlite:///"):
        from airside.db.sqlite import SqliteDatabase

        return SqliteDatabase(url)
    if url.startswith(("postgresql://", "postgres://")):
        from airside.db.postgres import (
            POOL,
            open_postgres,
        )  # only if used: it doubles the imports at start-up

        return await open_postgres(url, pool or POOL)
    raise ValueError(
        f"AIRSIDE_DATABASE_URL must start with sqlite:/// or postgresql://, not {url.split(':')[0]!r}"
    )
