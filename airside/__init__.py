"""Airside: the open app platform for Plane."""

__version__ = "0.1.0"
