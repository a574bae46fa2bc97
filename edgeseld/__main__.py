"""`python -m edgeseld` is the command line."""

from edgeseld.cli import main

main()
