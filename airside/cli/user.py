"""`airside user`: people of this instance."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.console import Json, on_site, print_result, read_password

if TYPE_CHECKING:
    from airside.site import Site

cli = typer.Typer(help="People of this instance.", no_args_is_help=True)


@cli.callback()
def user() -> None:
    """People of this instance."""


@cli.command("create")
def create(
    email: str,
    name: Annotated[str, typer.Option(help="First and last name.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Create a user. Without --password-stdin a password is made and shown once."""
    from airside.identity.users import create_user

    given = read_password() if password_stdin else None
    password = new_password() if given is None else given
    first_name, _, last_name = name.strip().partition(" ")

    async def work(site: "Site") -> dict[str, Any]:
        made = await create_user(
            site, email=email, password=password, first_name=first_name, last_name=last_name
        )
        shown = {"id": made["id"], "email": made["email"], "display_name": made["display_name"]}
        return shown if given is not None else shown | {"password": password}

    print_result(on_site(work), as_json=as_json)


@cli.command("set-password")
def set_password(
    email: str,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Give a user another password and end their sessions; without --password-stdin it is made, shown once."""
    from airside.cli.workspace import get_person
    from airside.identity.users import set_password as store_password

    given = read_password() if password_stdin else None
    password = new_password() if given is None else given

    async def work(site: "Site") -> dict[str, Any]:
        person = await get_person(site, email)
        await store_password(site, person["id"], password)
        shown = {"id": person["id"], "email": person["email"]}
        return shown if given is not None else shown | {"password": password}

    print_result(on_site(work), as_json=as_json)


@cli.command("operator")
def operator(
    email: str,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Make them one, or end that.")] = None,
    as_json: Json = False,
) -> None:
    """Say whether somebody runs this instance, and so reviews listings; without --on or --off, show it."""
    from airside.cli.workspace import get_person
    from airside.identity.users import set_operator

    async def work(site: "Site") -> dict[str, Any]:
        person = await get_person(site, email)
        if on is not None:
            person = await set_operator(site, person["id"], on)
        return {"id": person["id"], "email": person["email"], "is_operator": person["is_operator"]}

    print_result(on_site(work), as_json=as_json)


def new_password() -> str:
    import secrets

    return secrets.token_urlsafe(12)
