"""A Plane Community Edition behind Airside: what is forwarded to it, and how."""
