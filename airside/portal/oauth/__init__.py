"""What a person sees of Airside as authorization server: consent, and signing devices in."""
