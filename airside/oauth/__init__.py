"""Airside as an OAuth 2.0 authorization server (RFC 6749)."""
