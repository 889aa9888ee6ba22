"""How work items, comments, cycles and modules look in API v1 and in webhooks."""

from collections.abc import Callable

from tests.support.upstream.accounts import V1_USER
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row, pick

V1_ITEM = (
    "id type_id created_at updated_at deleted_at point name description_html description_binary "
    "priority start_date target_date sequence_id sort_order completed_at archived_at is_draft "
    "external_source external_id created_by updated_by project workspace parent state "
    "estimate_point type assignees labels"
)
WEBHOOK_ITEM = (
    "id labels assignees state description created_at updated_at deleted_at point name "
    "description_json description_html description_stripped description_binary priority "
    "start_date target_date sequence_id sort_order completed_at archived_at is_draft "
    "external_source external_id created_by updated_by project workspace parent estimate_point "
    "type"
)
COMMENT = (
    "id created_at updated_at deleted_at comment_html attachments access external_source "
    "external_id edited_at created_by updated_by project workspace description issue actor parent"
)
CYCLE = (
    "id created_at updated_at deleted_at name description start_date end_date view_props "
    "sort_order external_source external_id progress_snapshot archived_at logo_props timezone "
    "version created_by updated_by project workspace owned_by"
)
MODULE = (
    "id created_at updated_at deleted_at name description description_text description_html "
    "start_date target_date status view_props sort_order external_source external_id archived_at "
    "logo_props created_by updated_by project workspace lead members"
)
PROJECT = (
    "id cover_image_url created_at updated_at deleted_at name description description_text "
    "description_html network identifier emoji icon_prop module_view cycle_view issue_views_view "
    "page_view intake_view is_time_tracking_enabled is_issue_type_enabled guest_view_all_features "
    "cover_image archive_in close_in logo_props archived_at timezone external_source external_id "
    "created_by updated_by workspace default_assignee project_lead cover_image_asset estimate "
    "default_state"
)
STATE = "id name color group"


def whole_item(site: Site, item: Row) -> Row:
    """With its state, labels and assignees as small objects."""
    users, labels = site.store.users.rows, site.store.labels.rows
    related = {
        "labels": [pick(labels[row_id], "id name color") for row_id in item["labels"]],
        "assignees": [pick(users[row_id], V1_USER) for row_id in item["assignees"]],
        "state": pick(site.store.states.rows[item["state"]], STATE),
        "description": {},
        "description_json": {},
    }
    return {name: related[name] if name in related else item[name] for name in WEBHOOK_ITEM.split()}


DATA: dict[str, Callable[[Site, Row], Row]] = {
    "issue": whole_item,
    "issue_comment": lambda _, row: pick(row, COMMENT),
    "cycle": lambda _, row: pick(row, CYCLE),
    "module": lambda _, row: pick(row, MODULE),
    "project": lambda _, row: pick(row, PROJECT),
}
