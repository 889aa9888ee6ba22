"""Apps that answer when they are mentioned or assigned: mentions and assignments → runs → activities."""
