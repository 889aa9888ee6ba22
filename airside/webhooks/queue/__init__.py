"""Where deliveries wait for their turn; one small interface, several engines."""
