"""Commands whose options are their own, and those of the family that MODEL holds."""

from __future__ import annotations

from pathlib import Path

import click

from pushforward.cli.help import Command, Option
from pushforward.cli.options import of_parameters


class OfModel(Command):
    """A command that looks for MODEL among its words, and takes the options that its family has for the verb."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the model, then parse with its options."""
        ctx.meta["family"] = self._family_options(ctx, list(args))
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Arguments and options, those of the family before the last section."""
        return [*ctx.meta.get("family", []), *super().get_params(ctx)]

    def _family_options(self, ctx: click.Context, args: list[str]) -> list[Option]:
        parser = self.make_parser(ctx)
        parser.ignore_unknown_options = True
        try:
            known, free, _ = parser.parse_args(args)
        except click.UsageError:  # the second parse says it, with all options known
            return []
        words = [word for word in (known.get("model"), *free) if isinstance(word, str) and word[:1] not in ("", "-")]
        folder = next((word for word in words if (Path(word) / "model.json").is_file()), next(iter(words), None))
        if folder is None:
            return []
        from pushforward.saving import hollow

        model = hollow(Path(folder))
        return of_parameters(model.options(str(self.name)), type(model).__name__)
