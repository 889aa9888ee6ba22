"""Tries published clients against a started Airside, each of its actions, and says what became of them.

    python -m tests.client_suites [mcp …] [--database sqlite]

See docs/how-to/try-published-clients.md. Status 1: something came out wrong."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable

from tests.client_suites.compose import try_compose
from tests.client_suites.mcp_server import try_mcp_server
from tests.client_suites.place import KEPT, Place, started
from tests.client_suites.plane_cli import try_plane_cli
from tests.client_suites.verdicts import Outcome, Verdict, describe, print_table

CLIENTS: dict[str, Callable[[Place], Awaitable[tuple[list[str], list[Verdict]]]]] = {
    "mcp": try_mcp_server,
    "compose": try_compose,
    "cli": try_plane_cli,
}


async def try_client(client: str, database: str) -> int:
    """The number of actions that didn't end as they have to."""
    async with started(database) as place:
        actions, verdicts = await CLIENTS[client](place)
    print(f"\n{client} on {database}")
    total = print_table(actions, verdicts)
    for one in verdicts:
        if one.outcome is Outcome.WRONG:
            print("\n  " + describe(one))
    print(f"\n  {total[Outcome.OK]} of {len(actions)} actions", flush=True)
    (KEPT / f"{client}-{database}.txt").write_text("\n".join(map(describe, verdicts)))
    return total[Outcome.WRONG] + total[Outcome.NOT_TRIED]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.client_suites", description=__doc__.splitlines()[0]
    )
    parser.add_argument("client", nargs="*", choices=[*CLIENTS, []], metavar="|".join(CLIENTS))
    parser.add_argument("--database", choices=["sqlite", "postgres"], action="append")
    options = parser.parse_args()
    failed = 0
    for client in options.client or CLIENTS:
        for database in options.database or ["sqlite", "postgres"]:
            failed += asyncio.run(try_client(client, database))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
