"""`airside app projects`, `suspend`, `requests` …: what an installed app may do in a workspace."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.app_options import As, Workspace, get_installed
from airside.cli.console import Json, on_site, print_json, print_result
from airside.cli.workspace import get_named, get_person

if TYPE_CHECKING:
    from airside.installations.tables import InstallationRow
    from airside.runtime.site import Site


def projects(
    client_id: str,
    workspace: Workspace,
    as_: As,
    every: Annotated[bool, typer.Option("--all", help="All projects, present and future.")] = False,
    project: Annotated[
        list[str] | None, typer.Option(help="Identifier, such as ENG; can be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Choose the projects that an installed app may access; without --all or --project, show them."""
    from airside.errors import Invalid
    from airside.installations.project_choice import choose_projects

    if every and project:
        raise typer.BadParameter("choose --all or --project, not both")

    async def work(site: "Site") -> dict[str, Any]:
        installation = await get_installed(site, client_id, workspace)
        known = await list_identifiers(site, installation["workspace_id"])
        if every or project:
            unknown = [one for one in project or [] if one.upper() not in known]
            if unknown:
                raise Invalid({"project": [f"There is no project {unknown[0]} in {workspace}."]})
            chosen = [known[one.upper()] for one in project or []]
            installation = await choose_projects(
                site,
                installation["workspace_id"],
                installation["id"],
                (await get_person(site, as_))["id"],
                None if every else chosen,
            )
        ids: list[str] | None = installation["project_ids"]
        shown = "all" if ids is None else [name for name, one in known.items() if one in ids]
        return {"app_installation_id": installation["id"], "projects": shown}

    print_result(on_site(work), as_json=as_json)


def suspend(client_id: str, workspace: Workspace, as_: As, as_json: Json = False) -> None:
    """Suspend an installed app: its tokens and webhooks stop until it is unsuspended."""
    from airside.installations.suspend import suspend_app

    print_result(on_site(lambda site: _change(site, client_id, workspace, as_, suspend_app)), as_json=as_json)


def unsuspend(client_id: str, workspace: Workspace, as_: As, as_json: Json = False) -> None:
    """Resume a suspended app."""
    from airside.installations.suspend import unsuspend_app

    print_result(
        on_site(lambda site: _change(site, client_id, workspace, as_, unsuspend_app)), as_json=as_json
    )


def requests(workspace: Workspace, as_json: Json = False) -> None:
    """List what installed apps ask for beyond what they were granted."""
    from airside.installations.read import list_installations
    from airside.installations.scope_requests import list_scope_requests

    async def work(site: "Site") -> list[dict[str, Any]]:
        where = await get_named(site, workspace)
        installed = {row["id"]: row for row in await list_installations(site.db, where["id"])}
        return [
            {
                "client_id": installed[request["installation_id"]]["app_client_id"],
                "name": installed[request["installation_id"]]["app_name"],
                "scopes": request["scopes"],
            }
            for request in await list_scope_requests(site.db, where["id"])
        ]

    found = on_site(work)
    if as_json:
        print_json({"requests": found})
        return
    for request in found:
        typer.echo(f"{request['client_id']}  {request['name']}  {' '.join(request['scopes'])}")


def approve(client_id: str, workspace: Workspace, as_: As, as_json: Json = False) -> None:
    """Grant the scopes that an installed app requests."""
    from airside.installations.scope_requests import approve_scopes

    print_result(
        on_site(lambda site: _change(site, client_id, workspace, as_, approve_scopes)), as_json=as_json
    )


def decline(client_id: str, workspace: Workspace, as_: As, as_json: Json = False) -> None:
    """Decline the scopes that an installed app requests; its granted scopes stay."""
    from airside.installations.scope_requests import decline_scopes

    print_result(
        on_site(lambda site: _change(site, client_id, workspace, as_, decline_scopes)), as_json=as_json
    )


async def _change(site: "Site", client_id: str, workspace: str, as_: str, act: Any) -> dict[str, Any]:
    before = await get_installed(site, client_id, workspace)
    by_user_id = (await get_person(site, as_))["id"]
    after: InstallationRow = await act(site, before["workspace_id"], before["id"], by_user_id) or before
    return {"app_installation_id": after["id"], "status": after["status"], "scopes": after["scopes"]}


async def list_identifiers(site: "Site", workspace_id: str) -> dict[str, str]:
    """Identifier → id of the workspace's projects."""
    from airside.host.chosen import host_of

    projects = await host_of(site).list_projects(site, workspace_id, archived=True)
    return {project.identifier: project.id for project in projects}
