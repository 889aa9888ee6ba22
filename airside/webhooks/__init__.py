"""Outgoing webhooks: endpoints, fan-out, the delivery queue, signed deliveries, retries."""
