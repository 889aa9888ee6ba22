"""Published clients of Plane's API tried command by command against a started Airside."""
