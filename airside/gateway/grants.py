"""The tables and columns of a Community Edition that a reader role may see: what events are made of, and no more.

Credentials, sessions and e-mail addresses are not among them; of people only what tells them apart."""

import re
from collections.abc import Mapping

STAMPS = "id created_at updated_at deleted_at"
OWN = f"{STAMPS} created_by_id updated_by_id project_id workspace_id"

_COLUMNS = {
    "comment_reactions": f"{OWN} actor_id comment_id reaction",
    "cycle_issues": f"{OWN} cycle_id issue_id",
    "cycles": (
        f"{OWN} name description start_date end_date sort_order external_source external_id archived_at owned_by_id"
    ),
    "file_assets": f"{OWN} attributes asset entity_type size is_uploaded user_id issue_id",
    "intake_issues": f"{OWN} intake_id issue_id status source",
    "issue_activities": (
        f"{OWN} verb field old_value new_value comment old_identifier new_identifier epoch issue_id"
        " issue_comment_id actor_id"
    ),
    "issue_assignees": f"{OWN} issue_id assignee_id",
    "issue_comments": (
        f"{OWN} comment_html comment_stripped access external_source external_id edited_at issue_id actor_id"
    ),
    "issue_labels": f"{OWN} issue_id label_id",
    "issue_links": f"{OWN} title url metadata issue_id",
    "issue_mentions": f"{OWN} issue_id mention_id",
    "issue_reactions": f"{OWN} actor_id issue_id reaction",
    "issue_relations": f"{OWN} relation_type issue_id related_issue_id",
    "issue_subscribers": f"{OWN} issue_id subscriber_id",
    "issues": (
        f"{OWN} name description_html priority start_date target_date sequence_id sort_order completed_at"
        " archived_at is_draft external_source external_id parent_id state_id"
    ),
    "labels": f"{OWN} name description color sort_order external_source external_id parent_id",
    "module_issues": f"{OWN} module_id issue_id",
    "modules": (
        f"{OWN} name description start_date target_date status sort_order external_source external_id lead_id"
    ),
    "pages": (
        f"{STAMPS} created_by_id updated_by_id workspace_id name description_html access archived_at owned_by_id"
        " parent_id"
    ),
    "project_members": f"{OWN} role member_id is_active",
    "project_pages": f"{OWN} page_id",
    "projects": (
        f"{STAMPS} created_by_id updated_by_id workspace_id name identifier description network archived_at"
    ),
    "states": f"{OWN} name description color slug sequence group default external_source external_id",
    "users": f"{STAMPS} display_name first_name last_name avatar is_active is_bot",
    "workspace_members": f"{STAMPS} created_by_id updated_by_id workspace_id member_id role is_active",
    "workspaces": f"{STAMPS} created_by_id updated_by_id name slug owner_id",
}
READABLE: Mapping[str, tuple[str, ...]] = {table: tuple(text.split()) for table, text in _COLUMNS.items()}

_is_name = re.compile(r"[a-z_][a-z0-9_]{0,62}").fullmatch


def render_grants(role: str) -> str:
    """The SQL that makes the role and lets it read, for psql. Raises ValueError for a name that needs quoting."""
    if _is_name(role) is None:
        raise ValueError("a role's name has lower-case letters, digits and underscores")
    lines = [
        f"-- Run in the Community Edition's database, as its owner. Then: \\password {role}",
        f"CREATE ROLE {role} LOGIN;",
        f"ALTER ROLE {role} SET default_transaction_read_only = on;",
        f"GRANT USAGE ON SCHEMA public TO {role};",
    ]
    for table, columns in READABLE.items():
        named = ", ".join(f'"{column}"' for column in columns)
        lines.append(f'GRANT SELECT ({named}) ON "{table}" TO {role};')
    return "\n".join(lines)
