"""What the developers of an app change and watch: registration, webhook secret, deliveries, listeners, usage."""
