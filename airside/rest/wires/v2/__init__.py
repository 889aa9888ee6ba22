"""The wire of Plane's API v2."""
