"""A person's own files, avatar and cover: request an upload, confirm it, delete it."""

from typing import Annotated, Any

import sqlalchemy as sa
from msgspec import Meta

from airside.assets.file_types import FileRefused
from airside.assets.pictures import plain_type
from airside.assets.storage import drop_file, picture_key_of
from airside.assets.tables import assets
from airside.assets.tickets import UPLOAD_PATH, issue_ticket
from airside.db.base import Id, Row, new_id
from airside.db.conditions import live
from airside.db.statements import Statement
from airside.errors import NotFound
from airside.identity.tables import users
from airside.rest.body import Body, Name, Properties, Short
from airside.rest.call import Call
from airside.rest.face import Shown
from airside.rest.route import Route
from airside.rest.verbs import in_transaction

AVATAR = "USER_AVATAR"
ENTITY_TYPES = (AVATAR, "USER_COVER")
FILE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/jpg", "image/gif")
MAX_BYTES = 5 * 1024 * 1024  # Plane's own limit
STATIC_PATH = "/api/assets/v2/static"  # as in Plane, since clients use it

EVENTLESS = "A person's own picture belongs to no workspace, and so has no listener."

_OF_TYPE = sa.select(assets.c.id, assets.c.stored_id).where(
    assets.c.user_id == sa.bindparam("user_id", type_=Id()),
    assets.c.entity_type == sa.bindparam("entity_type"),
    assets.c.id != sa.bindparam("kept_id", type_=Id()),
    live(assets),
)
_CONFIRMED = Statement(_OF_TYPE.where(assets.c.confirmed_at.is_not(None)))
_WAITING = Statement(_OF_TYPE.where(assets.c.confirmed_at.is_(None)))


# A file isn't part of a transaction. A second upload replaces the first, and the rest changes nothing twice.
REFUSES_KEY = "Uploads take no Idempotency-Key: each may simply be sent again."


class UserAssetIn(Body):
    example = {
        "name": "me.png",
        "size": 2048,
        "type": "image/png",
        "entity_type": "USER_AVATAR",
    }

    name: Name | None = None  # required, like size and entity_type; checked later, for FileRefused
    size: Annotated[int, Meta(ge=1, le=MAX_BYTES)] | None = None  # bytes
    entity_type: Short | None = None  # one of ENTITY_TYPES
    type: Short | None = None  # one of FILE_TYPES


class UserAssetChange(Body):
    is_uploaded: bool = True
    attributes: Properties | None = None  # Plane has it; Airside doesn't store it


class UploadData(Shown):
    url: str
    fields: dict[str, str]


class UserAssetOut(Shown):
    """Where to upload the file, and its later URL. `asset` and `attachment` repeat the id for clients that handle
    all uploads alike."""

    upload_data: UploadData
    asset_id: str
    asset_url: str
    asset: str
    attachment: dict[str, Any]


async def create_user_asset(call: Call) -> Any:
    """Allow one upload; it replaces earlier unconfirmed ones, so that they can't accumulate. Raises
    FileRefused."""
    _check_asked(call.body)
    row: Row = {
        "id": new_id(),
        "workspace_id": None,
        "user_id": call.caller.user_id,
        "entity_type": call.body["entity_type"],
        "name": call.body["name"],
        "content_type": plain_type(call.body.get("type")),
        "size": call.body["size"],
        "received_at": None,
        "confirmed_at": None,
        "created_at": call.now,
        "deleted_at": None,
    }

    async def work() -> list[str]:
        await call.writer.insert(assets, row)
        return await _end_others(call, row, _WAITING)

    for key in await in_transaction(call, work):
        await drop_file(call.site, key)
    return {
        "upload_data": {
            "url": f"{call.site.settings.origin}{UPLOAD_PATH}/",
            "fields": issue_ticket(call.site, row["id"], row["content_type"], call.now),
        },
        "asset_id": row["id"],
        "asset_url": asset_url(row["id"]),
        "asset": row["id"],
        "attachment": {"id": row["id"], "asset": row["id"], "asset_url": asset_url(row["id"])},
    }


def _check_asked(sent: Row) -> None:
    if any(sent.get(name) is None for name in ("name", "size", "entity_type")):
        raise FileRefused("Invalid request.")
    if sent["entity_type"] not in ENTITY_TYPES:
        raise FileRefused("Invalid entity type.")
    if sent.get("type") not in (None, *FILE_TYPES):
        raise FileRefused("Invalid file type.")


async def update_user_asset(call: Call) -> None:
    """Confirm the upload; an avatar becomes the person's. Raises Refused before the file was received."""

    async def work() -> list[str]:
        asset = await _get_own(call)
        if not call.body.get("is_uploaded", True):
            return []
        if asset["received_at"] is None:
            raise FileRefused("The asset is not uploaded.")
        await call.writer.update(assets, {"confirmed_at": asset["confirmed_at"] or call.now}, id=asset["id"])
        if asset["entity_type"] == AVATAR:
            await _set_avatar(call, asset_url(asset["id"]))
        return await _end_others(call, asset, _CONFIRMED)

    for key in await in_transaction(call, work):
        await drop_file(call.site, key)


async def delete_user_asset(call: Call) -> None:
    async def work() -> str:
        asset = await _get_own(call)
        await call.writer.update(assets, {"deleted_at": call.now}, id=asset["id"])
        user = await call.writer.find(users, id=call.caller.user_id)
        if user is not None and user["avatar_url"] == asset_url(asset["id"]):
            await _set_avatar(call, None)
        return picture_key_of(asset)

    await drop_file(call.site, await in_transaction(call, work))


def asset_url(asset_id: str) -> str:
    """The path below the origin, as in Plane."""
    return f"{STATIC_PATH}/{asset_id}/"


async def _get_own(call: Call) -> Row:
    """Raises NotFound, also for another person's asset."""
    found = await call.writer.lock(assets, id=call.path["asset_id"], user_id=call.caller.user_id)
    if found is None or found["deleted_at"] is not None:
        raise NotFound
    return found


async def _set_avatar(call: Call, url: str | None) -> None:
    await call.writer.update(users, {"avatar_url": url, "updated_at": call.now}, id=call.caller.user_id)


async def _end_others(call: Call, asset: Row, which: Statement) -> list[str]:
    """Delete the assets that this one replaces; returns their files' keys, which are deleted after the commit."""
    found = await call.writer.fetch_all(
        which, user_id=asset["user_id"], entity_type=asset["entity_type"], kept_id=asset["id"]
    )
    for other in found:
        await call.writer.update(assets, {"deleted_at": call.now}, id=other["id"])
    return [picture_key_of(other) for other in found]


USER_ASSET_ROUTES = [
    Route(
        method="POST",
        path="users/assets",
        aliases=("assets/user-assets", "assets/user-assets/server"),
        handler=create_user_asset,
        scope="assets:write",
        name="create_user_asset",
        summary="Begin the upload of a file, such as a profile picture",
        body=UserAssetIn,
        shown=UserAssetOut,
        eventless=EVENTLESS,
        refuses_key=REFUSES_KEY,
    ),
    Route(
        method="PATCH",
        path="users/assets/{asset_id}",
        aliases=("assets/user-assets/{asset_id}", "assets/user-assets/{asset_id}/server"),
        handler=update_user_asset,
        scope="assets:write",
        name="update_user_asset",
        summary="Confirm that a file has been uploaded",
        status=204,
        body=UserAssetChange,
        partial=True,
        eventless=EVENTLESS,
        refuses_key=REFUSES_KEY,
    ),
    Route(
        method="DELETE",
        path="users/assets/{asset_id}",
        aliases=("assets/user-assets/{asset_id}", "assets/user-assets/{asset_id}/server"),
        handler=delete_user_asset,
        scope="assets:write",
        name="delete_user_asset",
        summary="Delete an uploaded file",
        status=204,
        eventless=EVENTLESS,
        refuses_key=REFUSES_KEY,
    ),
]
