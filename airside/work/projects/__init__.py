"""Projects and what belongs to a project as a whole."""
