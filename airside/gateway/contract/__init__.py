"""What a Community Edition answered, as data, and how another instance's answers are compared with it.

Nothing here knows the rest of Airside but `enter.py`, which reads from an instance what a comparison needs."""
