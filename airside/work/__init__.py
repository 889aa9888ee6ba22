"""The project-management records, laid out like their URLs."""
