"""The engine behind api_v1.py, independent of the domain."""
