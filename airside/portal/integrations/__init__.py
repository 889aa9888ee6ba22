"""The apps that are installed in a workspace, and the policy of which may be."""
