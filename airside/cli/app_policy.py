"""`airside workspace app-policy`: which apps may be installed in a workspace, and who may register apps."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.app_options import As
from airside.cli.console import Json, on_site, print_result
from airside.cli.workspace import get_named, get_person

if TYPE_CHECKING:
    from airside.runtime.site import Site


def app_policy(
    slug: str,
    as_: As,
    registers: Annotated[str | None, typer.Option(help="Who may register apps: admins or members.")] = None,
    installs: Annotated[
        str | None, typer.Option(help="Which apps may be installed: any, listed or allowed.")
    ] = None,
    allow: Annotated[
        list[str] | None, typer.Option(help="Client ID to always allow; can be repeated.")
    ] = None,
    deny: Annotated[list[str] | None, typer.Option(help="Client ID to block; can be repeated.")] = None,
    forget: Annotated[list[str] | None, typer.Option(help="Client ID to remove from both lists.")] = None,
    as_json: Json = False,
) -> None:
    """Choose the app policy of a workspace; without a choice, show it."""
    from airside.apps.policy import change_policy, find_policy, list_apps_named, rule_app

    given = {"registers": registers, "installs": installs}
    chosen = {name: value for name, value in given.items() if value is not None}

    async def work(site: "Site") -> dict[str, Any]:
        workspace, by = await get_named(site, slug), await get_person(site, as_)
        if chosen:
            await change_policy(site, workspace["id"], by["id"], chosen)
        for rule, client_ids in (("allowed", allow), ("denied", deny), ("", forget)):
            for client_id in client_ids or []:
                await rule_app(site, workspace["id"], by["id"], client_id, rule)
        policy = await find_policy(site.db, workspace["id"])
        lists = {
            name: [app["client_id"] for app in await list_apps_named(site.db, getattr(policy, name))]
            for name in ("allowed", "denied")
        }
        return {"registers": policy.registers, "installs": policy.installs, **lists}

    print_result(on_site(work), as_json=as_json)
