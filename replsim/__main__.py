"""``python -m replsim``: the command line."""

from replsim.cli import main

main()
