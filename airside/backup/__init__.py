"""One file with a whole instance: its database, its files and its keys, written while it runs, and read back."""
