"""People: users, passwords, sign-in sessions and personal API keys."""
