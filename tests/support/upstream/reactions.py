"""Reactions to work items and comments, on the internal API."""

from tests.support.upstream.access import item_of, project_of
from tests.support.upstream.accounts import lite_user
from tests.support.upstream.announcements import Activity, record
from tests.support.upstream.routing import web_project
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Answer, Call, missing, no_content

routes = web_project()
STAMPS = "id created_at updated_at deleted_at reaction created_by updated_by project workspace actor"


def _added(row: Row, touches: bool) -> Activity:
    words, code = "added the reaction", row["reaction"]
    told = {"notifies": False, "touches_item": touches}
    return Activity("created", words, "reaction", None, code, new_id=row["id"], **told)


def _removed(row: Row, touches: bool) -> Activity:
    words, code = "removed the reaction", row["reaction"]
    told = {"notifies": False, "touches_item": touches}
    return Activity("deleted", words, "reaction", code, None, old_id=row["id"], **told)


@routes("POST", "issues/<item>/reactions/")
def react_to_item(call: Call) -> Answer:
    item = item_of(call)
    row = _insert(call, "issue_reactions", item, issue=item["id"])
    record(call, item, _added(row, touches=True))
    shown = pick(row, STAMPS + " issue") | {"actor_detail": lite_user(call.site, call.user["id"])}
    return Answer(shown, 201)


def _insert(call: Call, table: str, about: Row, **values: str) -> Row:
    own = {"project": about["project"], "workspace": about["workspace"], "actor": call.user["id"]}
    return getattr(call.site.store, table).insert(
        by=call.user["id"], reaction=call.body.get("reaction", ""), **own, **values
    )


@routes("DELETE", "issues/<item>/reactions/<code>/")
def take_back_from_item(call: Call) -> Answer:
    item = item_of(call)
    row = _own(call, "issue_reactions", issue=item["id"])
    record(call, item, _removed(row, touches=True))
    return no_content()


def _own(call: Call, table: str, **values: str) -> Row:
    """The caller's reaction, deleted."""
    rows = getattr(call.site.store, table)
    row = rows.first(actor=call.user["id"], reaction=call.params["code"], **values)
    if row is None:
        raise missing()
    rows.delete(row)
    return row


def _comment(call: Call) -> Row:
    project = project_of(call)
    row = call.site.store.issue_comments.find(call.params["comment"], project=project["id"])
    if row is None:
        raise missing()
    return row


@routes("POST", "comments/<comment>/reactions/")
def react_to_comment(call: Call) -> Answer:
    comment = _comment(call)
    row = _insert(call, "comment_reactions", comment, comment=comment["id"])
    record(call, call.site.store.issues.rows[comment["issue"]], _added(row, touches=False))
    shown = pick(row, STAMPS + " comment") | {"display_name": call.user["display_name"]}
    return Answer(shown, 201)


@routes("DELETE", "comments/<comment>/reactions/<code>/")
def take_back_from_comment(call: Call) -> Answer:
    comment = _comment(call)
    row = _own(call, "comment_reactions", comment=comment["id"])
    record(call, call.site.store.issues.rows[comment["issue"]], _removed(row, touches=False))
    return no_content()
