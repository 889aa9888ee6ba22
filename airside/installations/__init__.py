"""An app in a workspace: install, uninstall, its bot user."""
