"""Files of a workspace, such as pictures in texts: requested, uploaded past the API, confirmed."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from airside.assets.files import FileIn, Files, Settled, complete_upload, settle_upload, sign_download
from airside.assets.tables import files
from airside.assets.user_assets import UploadData
from airside.db.base import Row
from airside.errors import Forbidden, Invalid, NotFound
from airside.rest.body import Body, Uuid
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.record import MEMBER, Level, Narrowing
from airside.rest.route import Route
from airside.rest.routes import place_of
from airside.rest.selection import find_record
from airside.rest.verbs import create, in_transaction, store_changes
from airside.rest.wires.v1.paths import PREFIX, WORKSPACE
from airside.rest.wires.v1.wire import V1
from airside.work.access import in_visible_projects

EVENTLESS = "Plane's catalogue of events has none for the files of a workspace."


class WorkspaceFileIn(FileIn):
    example = {"name": "diagram.png", "type": "image/png", "size": 5}

    project_id: Uuid | None = None


class WorkspaceFileChange(Body):
    example = {"is_uploaded": True}

    is_uploaded: bool | None = True


class StoredFileOut(Shown):
    """A new file as the database has it; answers have one of the other shapes."""

    id: str


class NewWorkspaceFileOut(Shown):
    """Where to upload the file: post the fields, then the part `file`."""

    upload_data: UploadData
    asset_id: str
    asset_url: str


class WorkspaceFileOut(Shown):
    """`asset_url` downloads the file without a credential, for some minutes. The last three repeat the first ones,
    as the Community Edition names them."""

    id: str
    name: str
    type: str
    asset_url: str
    attributes: dict[str, Any]
    asset_id: str
    asset_name: str
    asset_type: str


class WorkspaceFiles(Files):
    noun = "Asset"
    level = Level.WORKSPACE
    event = None
    eventless = EVENTLESS
    entity_type = "WORKSPACE_FILE"

    async def narrow(self, call: Call, /) -> Narrowing:
        """Those of no project, and of the projects that the caller may see."""
        seen = in_visible_projects(call, files.c.project_id)
        return Narrowing(_workspace_clauses(seen.clauses), seen.params)

    async def prepare(self, call: Call, sent: Row, /) -> None:
        await super().prepare(call, sent)
        project_id = sent.get("project_id")
        if project_id is None:
            return
        try:
            await call.access.enter_project(call, project_id)
        except (NotFound, Forbidden):
            message = f'Invalid pk "{project_id}" - object does not exist.'
            raise Invalid({"project_id": [message]}, {"project_id": "does_not_exist"}) from None

    async def before_create(self, call: Call, row: Row, /) -> None:
        await super().before_create(call, row)
        row["issue_id"] = None


@cache
def _workspace_clauses(seen: tuple[sa.ColumnElement[bool], ...]) -> tuple[sa.ColumnElement[bool], ...]:
    return (files.c.issue_id.is_(None), sa.or_(files.c.project_id.is_(None), sa.and_(*seen)))


WORKSPACE_FILES = WorkspaceFiles()
WORKSPACE_FILES_V1 = Face(
    WORKSPACE_FILES,
    wire=V1,
    path="assets",
    key="file_id",
    body=WorkspaceFileIn,
    shown=StoredFileOut,
    names={"type": "content_type"},
    scope="assets",
    verbs=(),
)


async def create_workspace_file(call: Call) -> Row:
    """Allow one upload. Raises FileRefused, Invalid, Conflict."""
    made = await create(WORKSPACE_FILES_V1, call)
    path = f"{PREFIX}/{WORKSPACE.format(workspace_slug=call.workspace['slug'])}assets/{made['id']}/"
    return {"upload_data": call.prepared["upload_data"], "asset_id": made["id"], "asset_url": path}


async def retrieve_workspace_file(call: Call) -> Row:
    """The file with a URL that gives it for a short time. Raises FileRefused before it was uploaded."""
    row = await find_record(WORKSPACE_FILES_V1, call, call.path[WORKSPACE_FILES_V1.key])
    url = await sign_download(call, row)
    name, content_type = row["name"], row["content_type"]
    return {
        "id": row["id"],
        "name": name,
        "type": content_type,
        "asset_url": url,
        "attributes": {"name": name, "type": content_type, "size": row["size"]},
        "asset_id": row["id"],
        "asset_name": name,
        "asset_type": content_type,
    }


async def update_workspace_file(call: Call) -> None:
    """Complete the upload. Raises FileRefused before the file was received."""
    file_id = call.path[WORKSPACE_FILES_V1.key]
    found = await find_record(WORKSPACE_FILES_V1, call, file_id)
    if call.body.get("is_uploaded", True) is False:
        return
    async with settle_upload(call, found) as settled:
        await in_transaction(call, lambda: _complete(call, file_id, settled))


async def _complete(call: Call, file_id: str, settled: Settled | None) -> None:
    row = await find_record(WORKSPACE_FILES_V1, call, file_id, lock=True)
    if not row["is_uploaded"]:
        await store_changes(WORKSPACE_FILES_V1, call, row, await complete_upload(call, row, settled))


_ONE = place_of(WORKSPACE_FILES_V1, f"/{{{WORKSPACE_FILES_V1.key}}}")

WORKSPACE_FILE_ROUTES = [
    Route(
        method="POST",
        **place_of(WORKSPACE_FILES_V1),
        handler=create_workspace_file,
        scope="assets:write",
        name="create_workspace_asset",
        summary="Begin the upload of a file of the workspace",
        role=MEMBER,
        body=WorkspaceFileIn,
        shown=NewWorkspaceFileOut,
        face=WORKSPACE_FILES_V1,
        eventless=EVENTLESS,
        may_conflict=True,
    ),
    Route(
        method="GET",
        **_ONE,
        handler=retrieve_workspace_file,
        scope="assets:read",
        name="retrieve_workspace_asset",
        summary="Retrieve a file of the workspace",
        shown=WorkspaceFileOut,
        face=WORKSPACE_FILES_V1,
    ),
    Route(
        method="PATCH",
        **_ONE,
        handler=update_workspace_file,
        scope="assets:write",
        name="update_workspace_asset",
        summary="Confirm that a file of the workspace has been uploaded",
        role=MEMBER,
        status=204,
        body=WorkspaceFileChange,
        partial=True,
        face=WORKSPACE_FILES_V1,
        eventless=EVENTLESS,
    ),
]
