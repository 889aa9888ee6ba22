"""The one error of the command line's own; apart, since opening an instance raises it and the console tells it."""


class Unusable(Exception):
    """Something outside Airside stands in the way; the sentence says what."""
