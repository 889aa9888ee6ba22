"""Links of work items. The worker looks at their page, which drops who made them."""

from urllib.parse import urlsplit

from tests.support.upstream.access import MEMBER, item_of
from tests.support.upstream.accounts import lite_user
from tests.support.upstream.announcements import Activity, record
from tests.support.upstream.fields import Text, check, plain
from tests.support.upstream.pagination import one, page_of
from tests.support.upstream.routing import v1_project, web_project
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Answer, Call, Refusal, missing, no_content

v1 = v1_project()
web = web_project()
SHOWN = "id created_at updated_at deleted_at title url metadata created_by updated_by project workspace issue"
FAVICON = "data:image/svg+xml;base64,"


def _checked(call: Call, item: Row, own: Row | None = None) -> Row:
    values = check(call.body, {"url": Text(required=True), **plain("title")}, partial=own is not None)
    if "url" in values:
        parts = urlsplit(values["url"])
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise Refusal(400, {"url": ["Invalid URL format."]})
        same = call.site.store.issue_links.first(issue=item["id"], url=values["url"])
        if same and same is not own:
            raise Refusal(400, {"error": "URL already exists for this Issue"})
    return values


def _create(call: Call) -> Row:
    item = item_of(call, MEMBER)
    values = {"title": None, "metadata": {}} | _checked(call, item)
    own = {"project": item["project"], "workspace": item["workspace"], "issue": item["id"]}
    row = call.site.store.issue_links.insert(by=call.user["id"], **values | own)
    new_id = None if call.is_v1 else row["id"]
    record(call, item, Activity("created", "created a link", "link", None, row["url"], new_id=new_id))
    call.site.worker.add(lambda: _look_at_page(call.site, row))
    return row


def _look_at_page(site: Site, row: Row) -> None:
    page = {"url": row["url"], "title": None, "favicon": FAVICON, "favicon_url": None}
    site.store.issue_links.put(row, metadata=page, created_by=None, updated_by=None)


def _link(call: Call, least: int = 5) -> Row:
    item = item_of(call, least)
    row = call.site.store.issue_links.find(call.params["link"], issue=item["id"])
    if row is None:
        raise missing()
    return row


def _change(call: Call) -> Row:
    row, store = _link(call, MEMBER), call.site.store
    item, old = store.issues.rows[row["issue"]], row["url"]
    store.issue_links.update(row, by=call.user["id"], **_checked(call, item, own=row))
    new = call.body.get("url", "")
    record(call, item, Activity("updated", "updated a link", "link", old, new, row["id"], row["id"]))
    return row


@v1("GET", "{items}/<item>/links/")
def list_links(call: Call) -> Row:
    rows = call.site.store.issue_links.newest(issue=item_of(call)["id"])
    return page_of(call, rows, lambda row: pick(row, SHOWN))


@v1("POST", "{items}/<item>/links/")
def create_link_by_key(call: Call) -> Answer:
    """Its answer says `updated_by`, which isn't stored."""
    return Answer(pick(_create(call), SHOWN) | {"updated_by": call.user["id"]}, 201)


@v1("GET", "{items}/<item>/links/<link>/")
def show_link(call: Call) -> Row:
    return one(call, pick(_link(call), SHOWN))


@v1("PATCH", "{items}/<item>/links/<link>/")
def change_link_by_key(call: Call) -> Row:
    return pick(_change(call), SHOWN)


@v1("DELETE", "{items}/<item>/links/<link>/")
@web("DELETE", "issues/<item>/issue-links/<link>/")
def delete_link(call: Call) -> Answer:
    row, store = _link(call, MEMBER), call.site.store
    store.issue_links.delete(row)
    activity = Activity("deleted", "deleted the link", "link", row["url"], "")
    record(call, store.issues.rows[row["issue"]], activity)
    return no_content()


@web("POST", "issues/<item>/issue-links/")
def create_link(call: Call) -> Answer:
    return Answer(_with_author(call, _create(call)), 201)


@web("PATCH", "issues/<item>/issue-links/<link>/")
def change_link(call: Call) -> Row:
    return _with_author(call, _change(call))


def _with_author(call: Call, row: Row) -> Row:
    return pick(row, SHOWN) | {"created_by_detail": lite_user(call.site, row["created_by"])}
