"""Where the feature flags of a project are stored.

Flags that the project's own response shows are columns; the others share the JSON column `more_features`.
"""

from airside.db.base import Row

COLUMNS = {
    "modules": "module_view",
    "cycles": "cycle_view",
    "views": "issue_views_view",
    "pages": "page_view",
    "intakes": "intake_view",
    "work_item_types": "is_issue_type_enabled",
}


def is_on(project: Row, name: str) -> bool:
    """Whether the project uses the feature."""
    return project[COLUMNS[name]] if name in COLUMNS else bool(project["more_features"].get(name, False))
