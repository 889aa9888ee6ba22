"""Tests of files: where they are, and what becomes of them."""
