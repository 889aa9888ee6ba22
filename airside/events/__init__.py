"""What happened, kept until it has been told."""
