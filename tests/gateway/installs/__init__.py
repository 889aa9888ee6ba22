"""Installing apps in front of a Community Edition, by accounts of theirs."""
