"""The workshop, for tests that may share a site."""

from tests.support.workshop import workshop

__all__ = ["workshop"]
