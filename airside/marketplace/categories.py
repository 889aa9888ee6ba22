"""The categories of the marketplace."""

from typing import NamedTuple


class Category(NamedTuple):
    slug: str
    name: str
    glyph: str  # an icon of portal/templates/components/icons.html


CATEGORIES = (
    Category("agents", "AI and agents", "bot"),
    Category("chat", "Chat and notifications", "message-square"),
    Category("code", "Code and deployment", "code-xml"),
    Category("customers", "Customers and support", "users"),
    Category("design", "Design and files", "image"),
    Category("planning", "Planning and time", "clock"),
    Category("reports", "Reports and dashboards", "chart-column"),
    Category("sync", "Import and sync", "rotate-cw"),
    Category("security", "Security and compliance", "shield-check"),
    Category("other", "Everything else", "blocks"),
)
BY_SLUG = {category.slug: category for category in CATEGORIES}
