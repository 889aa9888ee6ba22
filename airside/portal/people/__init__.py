"""People: signing in, their profile, who belongs to a workspace."""
