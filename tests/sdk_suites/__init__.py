"""Plane's official SDKs tried by their own tests: what Airside serves of what they ask for."""
