"""The wire of Plane's API v1."""
