"""Where the workspaces live, behind one protocol: in this database (`local`), later behind another server."""
