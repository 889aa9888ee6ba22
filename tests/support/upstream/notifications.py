"""Who follows a work item, who is mentioned in it, and what they are notified of in the application."""

import re

from tests.support.upstream.access import workspace_of
from tests.support.upstream.accounts import lite_user
from tests.support.upstream.pagination import page_of
from tests.support.upstream.routing import Credential, Routes
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Call

routes = Routes("/api/workspaces/<slug>/users/notifications/", Credential.SESSION)
MENTION = re.compile(r"<mention-component\b[^>]*>")
SHOWN = (
    "created_at updated_at deleted_at data entity_identifier entity_name title message "
    "message_html message_stripped sender read_at snoozed_till archived_at created_by updated_by "
    "workspace project triggered_by receiver"
)


def subscribe(site: Site, item: Row, *users: str) -> None:
    for user in users:
        if not site.store.issue_subscribers.first(issue=item["id"], subscriber=user):
            site.store.issue_subscribers.insert(
                issue=item["id"], subscriber=user, project=item["project"], workspace=item["workspace"]
            )


def mentioned_in(html: str | None) -> set[str]:
    tags = [tag for tag in MENTION.findall(html or "") if 'entity_name="user_mention"' in tag]
    found = (re.search(r'entity_identifier="([^"]*)"', tag) for tag in tags)
    return {match[1] for match in found if match}


def newly_mentioned(site: Site, item: Row, html: str | None, before: str | None = None) -> list[str]:
    """Members of the project who are in the new text alone."""
    people = mentioned_in(html) - mentioned_in(before)
    members = site.store.project_members.all(project=item["project"], is_active=True)
    return [row["member"] for row in members if row["member"] in people]


def notify(site: Site, item: Row, actor: str, activity: Row, but: tuple[str, ...] = ()) -> None:
    """Everybody who follows the item, except who did it."""
    for row in site.store.issue_subscribers.all(issue=item["id"]):
        if row["subscriber"] != actor and row["subscriber"] not in but:
            about = _about(activity) | {"issue_comment": ""}
            _insert(site, item, actor, row["subscriber"], "subscribed", activity["comment"], None, about)


def notify_mentioned(site: Site, item: Row, actor: str, receiver: str, message: str, about: Row) -> None:
    _insert(site, item, actor, receiver, "mentioned", "", message, about)


def _about(activity: Row) -> Row:
    return {
        "id": activity["id"],
        "verb": activity["verb"],
        "actor": "None",
        "field": str(activity["field"]),
        "new_value": str(activity["new_value"]),
        "old_value": str(activity["old_value"]),
        "new_identifier": activity["new_identifier"],
        "old_identifier": activity["old_identifier"],
    }


def _insert(
    site: Site, item: Row, actor: str, receiver: str, kind: str, title: str, message: str | None, about: Row
) -> None:
    state, project = site.store.states.rows[item["state"]], site.store.projects.rows[item["project"]]
    issue = {
        "id": item["id"],
        "name": item["name"],
        "identifier": project["identifier"],
        "state_name": state["name"],
        "sequence_id": item["sequence_id"],
        "state_group": state["group"],
    }
    if about["field"] == "description":
        slug = site.store.workspaces.rows[item["workspace"]]["slug"]
        issue |= {"project_id": item["project"], "workspace_slug": slug}
    site.store.notifications.insert(
        data={"issue": issue, "issue_activity": about},
        entity_identifier=item["id"],
        entity_name="issue",
        title=title,
        message=message,
        message_html="<p></p>",
        message_stripped=None,
        sender=f"in_app:issue_activities:{kind}",
        read_at=None,
        snoozed_till=None,
        archived_at=None,
        workspace=item["workspace"],
        project=item["project"],
        triggered_by=actor,
        receiver=receiver,
    )


def _is_mention(row: Row) -> bool:
    return row["sender"].endswith(":mentioned")


def _mine(call: Call) -> list[Row]:
    workspace = workspace_of(call)
    return call.site.store.notifications.newest(workspace=workspace["id"], receiver=call.user["id"])


@routes("GET", "")
def list_notifications(call: Call) -> Row:
    mentions = call.query.get("mentioned") == "true"
    rows = [row for row in _mine(call) if _is_mention(row) == mentions]
    return page_of(call, rows, lambda row: _shown(call, row))


def _shown(call: Call, row: Row) -> Row:
    return {
        "id": row["id"],
        "triggered_by_details": lite_user(call.site, row["triggered_by"]),
        "is_inbox_issue": False,
        "is_intake_issue": False,
        "is_mentioned_notification": _is_mention(row),
        **pick(row, SHOWN),
    }


@routes("GET", "unread/")
def count_unread(call: Call) -> Row:
    rows = [row for row in _mine(call) if row["read_at"] is None]
    mentions = sum(map(_is_mention, rows))
    return {
        "total_unread_notifications_count": len(rows) - mentions,
        "mention_unread_notifications_count": mentions,
    }
