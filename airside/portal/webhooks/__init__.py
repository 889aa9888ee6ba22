"""The workspace's own webhooks."""
