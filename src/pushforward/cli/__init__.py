"""The command line: a command a file, each imported when it is asked for."""

from __future__ import annotations

from pushforward.cli.root import Root

main = Root(
    name="pushforward",
    help="Generative models beyond the Transformer behind one grammar: fit, sample, score, complete, compare.",
)
