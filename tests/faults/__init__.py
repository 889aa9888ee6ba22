"""Faults on purpose: what must hold when processes race and die."""
