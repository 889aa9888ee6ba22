"""`python -m airside` is the command line."""

from airside.cli.main import main

main()
