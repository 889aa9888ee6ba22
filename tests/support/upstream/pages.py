"""Pages of a project, on the internal API alone."""

from tests.support.upstream.access import MEMBER, project_of
from tests.support.upstream.html import stored
from tests.support.upstream.routing import web_project
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Answer, Call, Refusal, broken, missing, no_content

routes = web_project()
SHOWN = (
    "id name owned_by access color parent is_locked archived_at workspace created_at updated_at "
    "created_by updated_by view_props logo_props"
)
SHORTEST_BINARY = 4
TOO_SHORT = "Invalid binary data: Binary data too short to be valid document format"


def _page(call: Call, least: int = 5) -> Row:
    """One's own, or one that everybody in the project sees."""
    project = project_of(call, least)
    link = call.site.store.project_pages.first(project=project["id"], page=call.params["page"])
    page = call.site.store.pages.find(link["page"]) if link else None
    if page is None or (page["access"] and page["owned_by"] != call.user["id"]):
        raise missing()
    return page


def _listed(call: Call, page: Row) -> Row:
    projects = [row["project"] for row in call.site.store.project_pages.all(page=page["id"])]
    return {**pick(page, SHOWN), "is_favorite": False, "label_ids": [], "project_ids": projects}


@routes("GET", "pages/")
def list_pages(call: Call) -> list[Row]:
    project, store = project_of(call), call.site.store
    pages = [store.pages.find(row["page"]) for row in store.project_pages.newest(project=project["id"])]
    seen = [page for page in pages if page and (not page["access"] or page["owned_by"] == call.user["id"])]
    return [_listed(call, page) for page in seen]


@routes("POST", "pages/")
def create_page(call: Call) -> Answer:
    project, store = project_of(call, MEMBER), call.site.store
    page = store.pages.insert(
        by=call.user["id"],
        name=call.body.get("name", ""),
        owned_by=call.user["id"],
        access=call.body.get("access", 0),
        color="",
        parent=None,
        is_locked=False,
        archived_at=None,
        workspace=project["workspace"],
        view_props={"full_width": False},
        logo_props={},
        description_html=stored(call.body.get("description_html", "<p></p>")),
    )
    store.project_pages.insert(
        by=call.user["id"], project=project["id"], page=page["id"], workspace=page["workspace"]
    )
    return Answer(_listed(call, page) | pick(page, "description_html"), 201)


@routes("GET", "pages/<page>/")
def show_page(call: Call) -> Row:
    page = _page(call)
    return _listed(call, page) | pick(page, "description_html") | {"issue_ids": []}


@routes("PATCH", "pages/<page>/")
def change_page(call: Call) -> Row:
    page = _page(call, MEMBER)
    values = {
        name: call.body[name] for name in ("name", "access", "color", "logo_props") if name in call.body
    }
    call.site.store.pages.update(page, by=call.user["id"], **values)
    return pick(page, SHOWN + " description_html")


@routes("PATCH", "pages/<page>/description/")
def change_description(call: Call) -> Row:
    """HTML alone works. With an empty binary it fails, a short one is refused."""
    page, binary = _page(call, MEMBER), call.body.get("description_binary")
    if binary == "":
        raise broken()
    if binary is not None and len(binary) <= SHORTEST_BINARY:
        raise Refusal(400, {"description_binary": [TOO_SHORT]})
    html = stored(call.body.get("description_html", page["description_html"]))
    call.site.store.pages.update(page, by=call.user["id"], description_html=html)
    return {"message": "Updated successfully"}


@routes("GET", "pages/<page>/versions/")
def list_versions(call: Call) -> list[Row]:
    """Never seen with any: they are made some time after a change."""
    _page(call)
    return []


@routes("POST DELETE", "pages/<page>/archive/")
def archive_page(call: Call) -> Row:
    page = _page(call, MEMBER)
    now = call.site.clock.now() if call.method == "POST" else None
    call.site.store.pages.put(page, archived_at=now)
    return {"archived_at": now.strftime("%Y-%m-%d %H:%M:%S.%f") if now else None}


@routes("DELETE", "pages/<page>/")
def delete_page(call: Call) -> Answer:
    page, store = _page(call, MEMBER), call.site.store
    if page["archived_at"] is None:
        raise Refusal(400, {"error": "The page should be archived before deleting"})
    store.project_pages.delete(*store.project_pages.all(page=page["id"]))
    store.pages.delete(page)
    return no_content()
