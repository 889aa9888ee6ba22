"""Agents: apps that respond to mentions and assignments: mentions and assignments → runs → activities."""
