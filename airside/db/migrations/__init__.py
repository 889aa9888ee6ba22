"""The steps from an empty database to today's tables; `airside.db.migrate` runs them."""
