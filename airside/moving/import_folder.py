"""An import from its folder to its report: people first, then every family, then what had to wait for the rest."""

from typing import Any, cast

from airside.audit.record import OPERATOR, record_audit
from airside.db.base import Row, new_id
from airside.identity.tables import users
from airside.moving.bundle import Bundle
from airside.moving.calls import ImportAccess, make_call
from airside.moving.families import FAMILIES, PEOPLE
from airside.moving.importer import Importer
from airside.moving.people import join, match_person, name_of, name_person
from airside.moving.progress import Progress
from airside.moving.report import Report
from airside.moving.settle import settles
from airside.moving.tables import imports
from airside.runtime.site import Site
from airside.workspaces.create import FEATURES
from airside.workspaces.features import FEATURE_ROUTES
from airside.workspaces.members import list_members
from airside.workspaces.roles import ADMIN, MEMBER
from airside.workspaces.tables import workspaces

UPDATE_FEATURES = next(route for route in FEATURE_ROUTES if route.method == "PATCH")
TAKES_OVER = "states_owned_by_workspace"  # changes every state, which an admin may ask for afterwards
NOT_ASKED_AGAIN = "An earlier run found no account."


async def import_folder(
    site: Site, workspace: Row, bundle: Bundle, admin_id: str, progress: Progress, *, made_workspace: bool
) -> Report:
    """Bring everything that isn't here yet. Raises BundleRefused; what can't come by itself is in the report."""
    await bundle.check()
    run = await _begin(site, workspace, bundle, made_workspace)
    importer = Importer(site, workspace, bundle, run["id"], admin_id)
    await _bring_people(importer, workspace, bundle, run, admin_id, progress)
    for family in FAMILIES:
        await importer.bring_family(family, progress)
    await importer.bring_values(progress)
    for family in FAMILIES:
        if settles(family):
            await importer.settle_family(family, progress)
    await _finish(site, workspace, bundle, run, importer.report, admin_id)
    return importer.report


async def _begin(site: Site, workspace: Row, bundle: Bundle, made_workspace: bool) -> Row:
    """The earlier import of this source, or a new one."""
    keys = {"workspace_id": workspace["id"], "source": bundle.manifest.source}
    async with site.db.transaction() as tx:
        await tx.lock(workspaces, id=workspace["id"])
        found = await tx.find(imports, **keys)
        if found is None:
            found = {**keys, "id": new_id(), "made_workspace": made_workspace}
            found |= {"created_at": site.clock.now(), "finished_at": None}
            await tx.insert(imports, found)
        return found


async def _bring_people(
    importer: Importer, workspace: Row, bundle: Bundle, run: Row, admin_id: str, progress: Progress
) -> None:
    site = importer.site
    progress.begin(PEOPLE, bundle.count(PEOPLE))
    most = ADMIN if run["made_workspace"] else MEMBER
    for people in bundle.read_chunks(PEOPLE):
        known = await importer.brought.find(site.db, [one["id"] for one in people])
        for person in people:
            if person["id"] in known:
                user = await site.db.find(users, id=known[person["id"]]) or {}
                _list_person(importer.report, person, user, NOT_ASKED_AGAIN)
            else:
                await _bring_person(importer, workspace["id"], person, admin_id, most)
        progress.advance(len(people))
    importer.members |= {row["id"] for row in await list_members(site.db, workspace["id"])}


async def _bring_person(importer: Importer, workspace_id: str, person: Row, admin_id: str, most: int) -> None:
    """Once: an account with this e-mail that is made later gets nothing of what came before."""
    site = importer.site
    user, reason = await match_person(site, person)
    if user and person.get("role") is not None:
        await join(site, workspace_id, user, person["role"], by_id=admin_id, most=most)
    async with site.db.transaction() as tx:
        user_id = user["id"] if user else await name_person(tx, site, person)
        await importer.brought.remember(tx, {person["id"]: user_id}, is_settled=True)
    _list_person(importer.report, person, user or {}, reason)


def _list_person(report: Report, person: Row, user: Row, reason: str) -> None:
    if person.get("is_bot") is True:
        return
    shown: dict[str, Any] = {"name": name_of(person), "email": person.get("email")}
    if user and not user["is_bot"]:
        report.matched.append(shown)
    else:
        report.named.append({**shown, "reason": reason})


async def _finish(
    site: Site, workspace: Row, bundle: Bundle, run: Row, report: Report, admin_id: str
) -> None:
    """The features of a workspace that the import made, and the audit log's row."""
    now = site.clock.now()
    if run["made_workspace"] and run["finished_at"] is None:
        await _set_features(site, workspace, bundle, admin_id)
    async with site.db.transaction() as tx:
        await tx.update(imports, {"finished_at": now}, workspace_id=workspace["id"], id=run["id"])
        await record_audit(
            tx,
            "workspace.imported",
            now,
            workspace_id=workspace["id"],
            actor_kind=OPERATOR,
            actor_id=admin_id,
            target=("workspace", workspace["id"]),
            details={"source": bundle.manifest.source, "records": sum(report.came.values())},
        )


async def _set_features(site: Site, workspace: Row, bundle: Bundle, admin_id: str) -> None:
    """Those that a request may set; last, since some of them change who defines types."""
    given: Any = bundle.manifest.workspace.get("features")
    if isinstance(given, dict):
        flags = cast(Row, given)
        call = await make_call(site, ImportAccess(workspace), admin_id, {})
        call.body = {name: flags.get(name) is True for name in FEATURES if name != TAKES_OVER}
        await UPDATE_FEATURES.handler(call)
