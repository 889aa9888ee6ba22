"""Uploaded files: request an upload, upload with a signed policy, confirm, serve."""
