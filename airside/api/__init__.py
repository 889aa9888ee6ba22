"""The tables of the API: every resource and route, a file for each version."""
