"""The intake of a project: work items that wait there until somebody decides on them."""
