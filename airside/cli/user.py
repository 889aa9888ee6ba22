"""`airside user`: people of this instance."""

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.console import (
    AcceptUnproven,
    Json,
    on_site,
    on_site_warned,
    print_json,
    print_result,
    read_password,
    require_own_people,
)

if TYPE_CHECKING:
    from airside.db.base import Row
    from airside.runtime.site import Site

KEYS_STILL_WORK = "Their API keys still work. If somebody else may have them, revoke them"
STILL_UNPROVEN = "The e-mail is not verified. If you know its owner, verify it; this ends all other access"

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
    """Create a user. Without --password-stdin a password is generated and shown once."""
    from airside.identity.users import create_user

    given = read_password() if password_stdin else None
    password = new_password() if given is None else given
    first_name, _, last_name = name.strip().partition(" ")

    async def work(site: "Site") -> dict[str, Any]:
        require_own_people(site)
        made = await create_user(
            site, email=email, password=password, first_name=first_name, last_name=last_name
        )
        shown = {"id": made["id"], "email": made["email"], "display_name": made["display_name"]}
        return shown if given is not None else shown | {"password": password}

    print_result(on_site(work), as_json=as_json)


@cli.command("list")
def list_users(as_json: Json = False) -> None:
    """List the people of this instance, with the workspaces they belong to."""
    from airside.workspaces.find import list_people_of_instance

    async def work(site: "Site") -> list[dict[str, Any]]:
        return [show_listed(person) for person in await list_people_of_instance(site.db)]

    people = on_site(work)
    if as_json:
        print_json({"users": people})
        return
    for person in people:
        marks = [word for word, is_shown in marks_of(person).items() if is_shown]
        typer.echo("  ".join([f"{person['email']:<32}", ", ".join(person["workspaces"]) or "-", *marks]))


@cli.command("deactivate")
def deactivate(email: str, as_json: Json = False) -> None:
    """Revoke a user's sessions, API keys and consents to apps, and refuse sign-in. Nothing is deleted."""
    from airside.cli.workspace import get_person
    from airside.identity.users import deactivate_user

    async def work(site: "Site") -> dict[str, Any]:
        person = await get_person(site, email)
        revoked = await deactivate_user(site, person["id"])
        return {"id": person["id"], "email": person["email"], "is_active": False, "keys_revoked": revoked}

    print_result(on_site(work), as_json=as_json)


@cli.command("reactivate")
def reactivate(email: str, as_json: Json = False) -> None:
    """Let a deactivated user sign in again, with the same password. Keys and consents stay revoked."""
    from airside.cli.workspace import get_person
    from airside.identity.users import reactivate_user

    async def work(site: "Site") -> dict[str, Any]:
        person = await get_person(site, email)
        await reactivate_user(site, person["id"])
        return {"id": person["id"], "email": person["email"], "is_active": True}

    print_result(on_site(work), as_json=as_json)


@cli.command("set-password")
def set_password(
    email: str,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin.")
    ] = False,
    revoke_keys: Annotated[
        bool, typer.Option("--revoke-keys", help="Also revoke their API keys, as after a break-in.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Reset a user's password; without --password-stdin one is generated and shown once.

    Their sessions end, and what apps could do in their name. Their API keys go on working unless --revoke-keys is
    given."""
    from airside.cli.workspace import get_person
    from airside.identity.proof import is_proven
    from airside.identity.revoke_keys import count_live_keys
    from airside.identity.users import set_password as store_password

    given = read_password() if password_stdin else None
    password = new_password() if given is None else given

    async def work(site: "Site") -> dict[str, Any]:
        require_own_people(site)
        person = await get_person(site, email)
        revoked = await store_password(site, person["id"], password, revoke_keys=revoke_keys)
        kept = await count_live_keys(site.db, person["id"], site.clock.now())
        shown = {"id": person["id"], "email": person["email"], "email_proven": is_proven(person)}
        shown |= {"keys_revoked": revoked, "keys_kept": kept}
        return shown if given is not None else shown | {"password": password}

    result = on_site(work)
    print_result(result, as_json=as_json)
    if not (result["email_proven"] or as_json):
        typer.echo(f"{STILL_UNPROVEN}:\nairside user prove {shlex.quote(result['email'])}")
    if result["keys_kept"] and not as_json:
        typer.echo(f"{KEYS_STILL_WORK}: airside token revoke-all --user {shlex.quote(result['email'])}")


@cli.command("prove")
def prove(
    email: str,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Mark the e-mail of an account as verified, after you have verified who owns it. Accounts created from an
    invitation's link need this.

    Give the owner the new password; without --password-stdin one is generated and shown once. All sessions and API
    keys of the account, and the access of apps in its name, are revoked."""
    from airside.cli.workspace import get_person
    from airside.identity.proof import prove_email

    given = read_password() if password_stdin else None
    password = new_password() if given is None else given

    async def work(site: "Site") -> dict[str, Any]:
        require_own_people(site)
        person = await get_person(site, email)
        revoked = await prove_email(site, person["id"], password)
        shown = {"id": person["id"], "email": person["email"], "email_proven": True, "keys_revoked": revoked}
        return shown if given is not None else shown | {"password": password}

    print_result(on_site(work), as_json=as_json)


@cli.command("operator")
def operator(
    email: str,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Whether the user is an operator.")] = None,
    accept_unproven: AcceptUnproven = False,
    as_json: Json = False,
) -> None:
    """Make a user an operator of this instance, who also reviews listings; without --on or --off, show it."""
    from airside.cli.workspace import get_person
    from airside.identity.users import set_operator

    async def work(site: "Site", accepted: bool) -> dict[str, Any]:
        person = await get_person(site, email)
        if on is not None:
            person = await set_operator(site, person["id"], on, accept_unproven=accepted)
        return {"id": person["id"], "email": person["email"], "is_operator": person["is_operator"]}

    print_result(on_site_warned(work, accept_unproven=accept_unproven, as_json=as_json), as_json=as_json)


def show_listed(person: "Row") -> dict[str, Any]:
    names = ("id", "email", "display_name", "is_active", "is_operator")
    shown = {name: person[name] for name in names}
    return shown | {"email_proven": person["email_proven_at"] is not None, "workspaces": person["workspaces"]}


def marks_of(person: dict[str, Any]) -> dict[str, bool]:
    """The unusual flags of a person, for a line of the list."""
    return {
        "operator": person["is_operator"],
        "deactivated": not person["is_active"],
        "e-mail not proven": not person["email_proven"],
    }


def new_password() -> str:
    import secrets

    return secrets.token_urlsafe(12)
