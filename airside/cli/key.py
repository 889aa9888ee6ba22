"""`airside key`: the key that encrypts stored secrets, and rotating it without downtime."""

from typing import TYPE_CHECKING, Any

import typer

from airside.cli.console import Json, on_site, print_result

if TYPE_CHECKING:
    from airside.runtime.site import Site

cli = typer.Typer(help="The key that encrypts stored secrets.", no_args_is_help=True)


@cli.command("list")
def list_keys(as_json: Json = False) -> None:
    """List the configured keys by their ids, the present one first, and how much each has sealed."""
    from airside.db.reseal import count_by_key

    async def work(site: "Site") -> dict[str, Any]:
        return dict(await count_by_key(site.db, site.sealer))

    print_result(on_site(work), as_json=as_json)


@cli.command("reseal")
def reseal(as_json: Json = False) -> None:
    """Re-encrypt with AIRSIDE_SECRET_KEY what AIRSIDE_PREVIOUS_SECRET_KEYS encrypt, while servers run."""
    from airside.db.reseal import reseal as reseal_all

    async def work(site: "Site") -> dict[str, Any]:
        done = await reseal_all(site.db, site.sealer)
        return {
            "resealed": done.resealed,
            "changed_meanwhile": done.changed_meanwhile,
            "unreadable": done.unreadable,
            "key": site.sealer.key_ids[0],
        }

    print_result(on_site(work), as_json=as_json)
