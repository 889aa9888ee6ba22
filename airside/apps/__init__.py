"""An app as its developer sees it: registration, secrets, its manifest."""
