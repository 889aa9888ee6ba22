"""The command line's own error; a separate module, since instance.py raises it and console.py prints it."""


class Unusable(Exception):
    """The command can't run for a reason outside Airside, which the message names."""
