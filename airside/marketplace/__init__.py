"""The marketplace of this instance: listings drafted by apps' authors, reviewed by operators, browsed by users."""
