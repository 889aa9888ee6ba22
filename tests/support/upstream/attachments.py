"""Files: attachments of work items in both APIs, and avatars. Their bytes are in the storage."""

import hashlib
from typing import Any
from uuid import uuid4

from tests.support.upstream.access import find_workspace, item_of, project_membership
from tests.support.upstream.announcements import Activity, record
from tests.support.upstream.external_ids import refuse_external
from tests.support.upstream.routing import Credential, Routes, v1_project
from tests.support.upstream.site import Site
from tests.support.upstream.storage import presigned_download, presigned_upload
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Answer, Call, Refusal, missing, no_content, redirect

v1 = v1_project()
assets = Routes("/api/assets/v2/", Credential.SESSION)
web = Routes("/api/assets/v2/workspaces/<slug>/projects/<project>/", Credential.SESSION)
SHOWN = (
    "id created_at updated_at deleted_at attributes asset entity_type entity_identifier "
    "is_deleted is_archived external_id external_source size is_uploaded storage_metadata "
    "created_by updated_by user workspace draft_issue project issue comment page"
)
REFUSED_TYPES = ("application/x-msdownload",)


def _insert(call: Call, key: str, **values: Any) -> Row:
    body = call.body
    none = (
        "entity_identifier external_id external_source user workspace draft_issue project issue comment page"
    )
    attributes = {"name": body["name"], "type": body["type"], "size": body["size"]}
    flags = dict.fromkeys(("is_deleted", "is_archived", "is_uploaded"), False)
    return call.site.store.file_assets.insert(
        by=call.user["id"],
        **dict.fromkeys(none.split()) | flags | values,
        attributes=attributes,
        asset=key,
        size=float(body["size"]),
        storage_metadata={},
    )


def _check(call: Call) -> None:
    body = call.body
    if not body.get("name") or not isinstance(body.get("size"), int):
        raise Refusal(400, {"error": "Invalid request.", "status": False})
    if body.get("type") in REFUSED_TYPES or not body.get("type"):
        raise Refusal(400, {"error": "Invalid file type.", "status": False})


def _create(call: Call) -> Row:
    item = item_of(call)
    _check(call)
    values = pick(call.body, "external_id external_source") if "external_id" in call.body else {}
    refuse_external(call.site.store.file_assets.all(project=item["project"]), values, "Issue")
    key = f"{item['workspace']}/{uuid4().hex}-{call.body['name']}"
    own = {"workspace": item["workspace"], "project": item["project"], "issue": item["id"]}
    return _insert(call, key, entity_type="ISSUE_ATTACHMENT", **own, **values)


def _presigned(call: Call, row: Row) -> Row:
    size, kind = int(row["size"]), row["attributes"]["type"]
    return presigned_upload(call.site, call.origin, row["asset"], kind, size)


def _url(call: Call, row: Row) -> str:
    path = f"projects/{row['project']}/issues/{row['issue']}/attachments/{row['id']}/"
    return f"/api/assets/v2/workspaces/{call.params['slug']}/{path}"


def _attachment(call: Call) -> Row:
    item = item_of(call)
    row = call.site.store.file_assets.find(call.params["file"], issue=item["id"])
    if row is None:
        raise missing()
    return row


def _confirm(call: Call) -> Answer:
    row = _attachment(call)
    if not row["is_uploaded"]:
        item = call.site.store.issues.rows[row["issue"]]
        words = "created an attachment"
        activity = Activity(
            "created", words, "attachment", None, row["asset"], new_id=row["id"], notifies=True
        )
        record(call, item, activity)
    call.site.store.file_assets.update(
        row, by=call.user["id"], is_uploaded=True, storage_metadata=_metadata(call.site, row)
    )
    return no_content()


def _metadata(site: Site, row: Row) -> Row:
    """Of what is in the storage; nothing where nothing is."""
    if row["asset"] not in site.files:
        return {}
    kind, content = site.files[row["asset"]]
    return {
        "ETag": f'"{hashlib.md5(content).hexdigest()}"',
        "Metadata": {},
        "ContentType": kind,
        "LastModified": site.clock.now().strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "ContentLength": len(content),
    }


def _delete(call: Call) -> Answer:
    row = _attachment(call)
    call.site.store.file_assets.delete(row)
    item = call.site.store.issues.rows[row["issue"]]
    record(call, item, Activity("deleted", "deleted the attachment", "attachment", notifies=True))
    return no_content()


@v1("POST", "{items}/<item>/{attachments}/")
def create_attachment_by_key(call: Call) -> Row:
    row = _create(call)
    attachment = {"attachment": pick(row, SHOWN), "asset_url": _url(call, row)}
    return {"upload_data": _presigned(call, row), "asset_id": row["id"], **attachment}


@v1("GET", "{items}/<item>/{attachments}/")
def list_attachments(call: Call) -> list[Row]:
    rows = call.site.store.file_assets.newest(issue=item_of(call)["id"], is_uploaded=True)
    return [pick(row, SHOWN) for row in rows]


@v1("GET", "{items}/<item>/{attachments}/<file>/")
def download_attachment(call: Call) -> Answer:
    workspace = find_workspace(call)
    if workspace is None or project_membership(call, call.params["project"]) is None:
        raise Refusal(403, {"error": "You are not allowed to download this attachment"})
    row = _attachment(call)
    if not row["is_uploaded"]:
        raise Refusal(400, {"error": "The asset is not uploaded.", "status": False})
    name = row["attributes"]["name"]
    return redirect(presigned_download(call.site, call.origin, row["asset"], name, "attachment"))


@v1("PATCH", "{items}/<item>/{attachments}/<file>/")
def confirm_by_key(call: Call) -> Answer:
    return _confirm(call)


@v1("DELETE", "{items}/<item>/{attachments}/<file>/")
def delete_by_key(call: Call) -> Answer:
    return _delete(call)


@web("POST", "issues/<item>/attachments/")
def create_attachment(call: Call) -> Row:
    row = _create(call)
    url = _url(call, row)
    attachment = {"attachment": pick(row, SHOWN) | {"asset_url": url}, "asset_url": url}
    return {"upload_data": _presigned(call, row), "asset_id": row["id"], **attachment}


@web("PATCH", "issues/<item>/attachments/<file>/")
def confirm(call: Call) -> Answer:
    return _confirm(call)


@web("DELETE", "issues/<item>/attachments/<file>/")
def delete(call: Call) -> Answer:
    return _delete(call)


@assets("POST", "user-assets/")
def create_avatar(call: Call) -> Row:
    _check(call)
    key = f"{uuid4().hex}-{call.body['name']}"
    row = _insert(call, key, entity_type=call.body.get("entity_type"), user=call.user["id"])
    url = f"/api/assets/v2/static/{row['id']}/"
    return {"upload_data": _presigned(call, row), "asset_id": row["id"], "asset_url": url}


@assets("PATCH", "user-assets/<file>/")
def confirm_avatar(call: Call) -> Answer:
    row = call.site.store.file_assets.find(call.params["file"], user=call.user["id"])
    if row is None:
        raise missing()
    call.site.store.file_assets.update(row, is_uploaded=True, storage_metadata=_metadata(call.site, row))
    if row["entity_type"] == "USER_AVATAR":
        url = f"/api/assets/v2/static/{row['id']}/"
        call.site.store.users.update(call.user, avatar_asset=row["id"], avatar_url=url)
    return no_content()


@assets("GET", "static/<file>/")
def download_avatar(call: Call) -> Answer:
    row = call.site.store.file_assets.find(call.params["file"], is_uploaded=True)
    if row is None or row["entity_type"] != "USER_AVATAR":
        raise missing()
    return redirect(presigned_download(call.site, call.origin, row["asset"], uuid4().hex, "inline"))
