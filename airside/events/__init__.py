"""Events: the catalogue, the transactional outbox, and the webhook payloads."""
