"""`airside workspace`: workspaces and their members."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.console import (
    AcceptUnproven,
    Json,
    on_site,
    on_site_warned,
    print_json,
    print_result,
    require_own_people,
)

if TYPE_CHECKING:
    from airside.db.base import Row
    from airside.runtime.site import Site

cli = typer.Typer(help="Workspaces and their members.", no_args_is_help=True)


@cli.command("create")
def create(
    slug: str,
    name: Annotated[str, typer.Option(help="Name of the workspace.")],
    owner: Annotated[str, typer.Option(help="E-mail of the user who becomes its first admin.")],
    accept_unproven: AcceptUnproven = False,
    as_json: Json = False,
) -> None:
    """Create a workspace."""
    from airside.workspaces.create import create_workspace

    async def work(site: "Site", accepted: bool) -> dict[str, Any]:
        require_own_people(site)
        user = await get_person(site, owner)
        made = await create_workspace(
            site, name=name, slug=slug, owner_id=user["id"], accept_unproven=accepted
        )
        return {"id": made["id"], "slug": made["slug"], "name": made["name"], "owner": user["email"]}

    print_result(on_site_warned(work, accept_unproven=accept_unproven, as_json=as_json), as_json=as_json)


@cli.command("list")
def list_workspaces(as_json: Json = False) -> None:
    """List the workspaces of this instance, with how many people belong to each."""
    from airside.workspaces.find import list_all_workspaces

    async def work(site: "Site") -> list[dict[str, Any]]:
        names = ("id", "slug", "name", "people")
        return [{name: row[name] for name in names} for row in await list_all_workspaces(site.db)]

    found = on_site(work)
    if as_json:
        print_json({"workspaces": found})
        return
    for row in found:
        typer.echo(f"{row['slug']:<24}  {row['people']:>5}  {row['name']}")


@cli.command("rename")
def rename(
    slug: str,
    name: Annotated[str, typer.Option(help="Name of the workspace.")],
    as_: Annotated[
        str | None, typer.Option("--as", help="E-mail of the acting admin. Default: the first admin.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Rename a workspace; its slug stays, since apps store it."""
    from airside.workspaces.create import update_workspace

    async def work(site: "Site") -> dict[str, Any]:
        require_own_people(site)
        workspace = await get_named(site, slug)
        by_user_id = await get_admin(site, workspace, as_)
        row = await update_workspace(site, workspace["id"], by_user_id, {"name": name})
        return {"id": row["id"], "slug": row["slug"], "name": row["name"]}

    print_result(on_site(work), as_json=as_json)


@cli.command("add")
def add(
    slug: str,
    email: str,
    role: Annotated[str, typer.Option(help="admin, member or guest.")] = "member",
    accept_unproven: AcceptUnproven = False,
    as_json: Json = False,
) -> None:
    """Add a user to a workspace, or set the role of one who is there."""
    from airside.workspaces.members import add_member
    from airside.workspaces.roles import get_role, parse_role

    async def work(site: "Site", accepted: bool) -> dict[str, Any]:
        require_own_people(site)
        number = parse_role(role)
        workspace, user = await get_named(site, slug), await get_person(site, email)
        admin_id = await get_admin(site, workspace, None)
        made = await add_member(
            site, workspace["id"], user["id"], number, by_user_id=admin_id, accept_unproven=accepted
        )
        return {
            "id": made["id"],
            "workspace": slug,
            "email": user["email"],
            "role": get_role(made["role"]).slug,
        }

    print_result(on_site_warned(work, accept_unproven=accept_unproven, as_json=as_json), as_json=as_json)


async def get_person(site: "Site", email: str) -> "Row":
    """Raises NotFound."""
    from airside.errors import NotFound
    from airside.identity.users import find_user_by_email

    found = await find_user_by_email(site.db, email)
    if found is None or found["is_bot"]:
        raise NotFound(f"There is no user with the e-mail {email}.")
    return found


async def get_named(site: "Site", slug: str) -> "Row":
    """The workspace of that slug. Raises NotFound."""
    from airside.errors import NotFound
    from airside.workspaces.find import find_workspace

    found = await find_workspace(site.db, slug)
    if found is None:
        raise NotFound(f"There is no workspace with the slug {slug}.")
    return found


async def get_admin(site: "Site", workspace: "Row", email: str | None) -> str:
    """The user as whom the operator acts: the named one, else the workspace's first admin."""
    from airside.workspaces.members import list_members
    from airside.workspaces.roles import ADMIN

    if email is not None:
        return (await get_person(site, email))["id"]
    members = await list_members(site.db, workspace["id"])
    return next((member["id"] for member in members if member["role"] == ADMIN), workspace["owner_id"])
