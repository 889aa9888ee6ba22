"""Work items and what hangs on one of them."""
