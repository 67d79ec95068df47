"""`python -m pushforward`: the same as the command `pushforward`."""

from pushforward.cli import main

main()
