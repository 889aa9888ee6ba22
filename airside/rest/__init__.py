"""The engine behind api/v1.py, independent of the domain."""
