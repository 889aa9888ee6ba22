"""Moving a workspace out into a folder, and in from a folder or from another Plane."""
