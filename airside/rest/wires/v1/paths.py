"""Where v1 is served."""

PREFIX = "/api/v1"
WORKSPACE = "workspaces/{workspace_slug}/"
