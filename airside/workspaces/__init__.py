"""The tenant: workspaces, members and roles."""
