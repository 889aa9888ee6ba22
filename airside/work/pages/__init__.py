"""Pages of projects and of the workspace, the collections they are in, and the work items they are linked to."""
