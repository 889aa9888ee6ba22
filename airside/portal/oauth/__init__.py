"""The authorization server's pages: consent, and device sign-in."""
