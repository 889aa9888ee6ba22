"""Uploaded files: asked for, uploaded under a signature, confirmed, served."""
