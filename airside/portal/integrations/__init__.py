"""The apps that are installed in a workspace, and which may be."""
