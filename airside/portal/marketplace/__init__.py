"""The marketplace as people browse it, and its review as operators do it."""
