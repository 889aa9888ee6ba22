"""Imports a listing from another instance: registers the app in a workspace, with new ids and secrets, and creates
a draft that goes through review like any other."""

import msgspec

from airside.apps.registry import NewApp, create_app
from airside.apps.tables import apps
from airside.assets.logos import check_logo, store_logo
from airside.assets.measure import Picture
from airside.assets.storage import drop_file
from airside.db.base import Row, new_id
from airside.errors import Invalid
from airside.identity.users import require_operator
from airside.marketplace.content import Content, Screenshot, check_caption, check_content
from airside.marketplace.drafts import new_listing
from airside.marketplace.export_bundle import ExportBundle, read_bundle
from airside.marketplace.pictures import check_screenshot, keep_bytes, put_picture
from airside.marketplace.record import record_listing
from airside.marketplace.tables import listings
from airside.runtime.site import Site
from airside.workspaces.members import require_admin


class Received(msgspec.Struct, frozen=True):
    """The imported app, with its secrets, which are shown once, and its listing."""

    made: NewApp
    listing: Row


async def receive_listing(
    site: Site, data: bytes, workspace_id: str, by_user_id: str, *, is_command: bool = False
) -> Received:
    """Register the app in the workspace and create its listing as a draft.

    `is_command`: called from the command line, which needs no operator check. Everything is validated before
    anything is stored. Raises Invalid, Forbidden and NotFound."""
    if not is_command:
        await require_operator(site.db, by_user_id)
    await require_admin(site.db, workspace_id, by_user_id)
    bundle = read_bundle(data)
    content = _check_words(bundle)
    pictures = [
        _check_screenshot(number, shot.data) for number, shot in enumerate(bundle.screenshots, start=1)
    ]
    logo_url = await _keep_logo(site, bundle)
    try:
        made = await create_app(
            site, workspace_id=workspace_id, by_user_id=by_user_id, fields=bundle.app | {"logo_url": logo_url}
        )
    except Invalid as error:
        raise Invalid({"file": [f"Its app can't be registered here. {error.sentence}"]}) from None
    listing = await _put_listing(site, made.app, by_user_id, bundle, content, pictures)
    return Received(made, listing)


def _check_words(bundle: ExportBundle) -> Content:
    try:
        checked = check_content(msgspec.structs.asdict(bundle.listing))
        for shot in bundle.screenshots:
            check_caption(shot.caption)
    except Invalid as error:
        raise Invalid({"file": [f"Its listing can't be taken. {error.sentence}"]}) from None
    return Content(**checked)


def _check_screenshot(number: int, data: bytes) -> Picture:
    try:
        return check_screenshot(data)
    except Invalid as error:
        raise Invalid({"file": [f"Its screenshot {number} can't be taken. {error.sentence}"]}) from None


async def _keep_logo(site: Site, bundle: ExportBundle) -> str | None:
    if bundle.logo is None:
        return None
    try:
        check_logo(bundle.logo)
    except Invalid as error:
        raise Invalid({"file": [f"Its logo can't be taken. {error.sentence}"]}) from None
    return await store_logo(site, new_id(), bundle.logo)


async def _put_listing(
    site: Site, app: Row, by_user_id: str, bundle: ExportBundle, content: Content, pictures: list[Picture]
) -> Row:
    kept: list[str] = []
    try:
        kept += [await keep_bytes(site, shot.data) for shot in bundle.screenshots]
        shots = tuple(
            Screenshot(asset_id, picture.width, picture.height, shot.caption.strip())
            for asset_id, picture, shot in zip(kept, pictures, bundle.screenshots, strict=True)
        )
        whole = msgspec.structs.replace(content, screenshots=shots)
        row = new_listing(site, app, by_user_id) | {
            "content": msgspec.to_builtins(whole),
            "imported_from": bundle.exported_from,
        }
        async with site.db.transaction() as tx:
            await tx.lock(apps, id=app["id"])
            await tx.insert(listings, row)
            for asset_id, picture, shot in zip(kept, pictures, bundle.screenshots, strict=True):
                size = len(shot.data)
                await put_picture(
                    tx, site, asset_id, app["workspace_id"], by_user_id, picture.content_type, size
                )
            await record_listing(
                tx, site, "listing.imported", row, by_user_id, exported_from=bundle.exported_from
            )
    except Exception:
        for asset_id in kept:
            await drop_file(site, asset_id)
        raise
    return row
