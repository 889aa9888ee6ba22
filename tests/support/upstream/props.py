"""Settings of views that a Community Edition gives every member; nothing here depends on them."""

from typing import Any

FILTERS = dict.fromkeys(
    [
        "state",
        "labels",
        "priority",
        "assignees",
        "created_by",
        "start_date",
        "subscriber",
        "state_group",
        "target_date",
    ]
)
DISPLAY_FILTERS = {
    "type": None,
    "layout": "list",
    "group_by": None,
    "order_by": "-created_at",
    "sub_issue": True,
    "show_empty_groups": True,
    "calendar_date_range": "",
}
DISPLAY_PROPERTIES = dict.fromkeys(
    [
        "key",
        "link",
        "state",
        "labels",
        "assignee",
        "due_date",
        "estimate",
        "priority",
        "created_on",
        "start_date",
        "updated_on",
        "sub_issue_count",
        "attachment_count",
    ],
    True,
)
PROJECT_VIEW: dict[str, Any] = {"filters": FILTERS, "display_filters": DISPLAY_FILTERS}
WORKSPACE_VIEW: dict[str, Any] = {**PROJECT_VIEW, "display_properties": DISPLAY_PROPERTIES}
PREFERENCES = {
    "pages": {"block_display": True},
    "navigation": {"default_tab": "work_items", "hide_in_more_menu": []},
}
ISSUE_PROPS = {"created": True, "assigned": True, "all_issues": True, "subscribed": True}
ICONS = ["dataset", "view_kanban", "cycle", "mood", "library_add"]
COLORS = ["#6d7b8a", "#e57a00", "#02b5ed", "#5e6ad2", "#95999f"]
