"""What everything else stands on: the clock, credentials, and files that only this account can read."""
