"""The small engine behind api_v1.py; it knows no domain."""
