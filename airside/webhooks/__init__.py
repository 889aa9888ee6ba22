"""Telling the outside: endpoints, fan-out, signed deliveries, retries."""
