"""`pushforward encode MODEL DATA --out codes.npz`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pushforward.cli import words
from pushforward.cli.help import Option
from pushforward.cli.options import data_argument, json_option, model_argument, verb
from pushforward.cli.own import OfModel
from pushforward.errors import ArgumentError

if TYPE_CHECKING:
    import numpy as np

FORMS = (".npz", ".npy")


def encode(model: str, data: str, size: int | None, out: str, json_: bool, **options: Any) -> None:
    """Encode, and write the codes."""
    from pushforward.cli.output import check_folder, print_json
    from pushforward.data.write import whole
    from pushforward.saving import load

    path = Path(out)
    if path.suffix.lower() not in FORMS:
        raise ArgumentError(f"out={out!r} must end in {' or '.join(FORMS)}")
    check_folder(path)
    loaded = load(model)
    codes = verb(loaded, "encode")(words.for_model(data, loaded.schema, size), **options)
    whole(path, lambda file: _write(codes, path, file))
    if json_:
        print_json({"rows": len(codes), "out": out, "shape": list(codes.shape)})
    else:
        print(f"{codes.shape[0]:,} codes of {codes.shape[1]:,} numbers in {out}", file=sys.stderr)


def _write(codes: np.ndarray, path: Path, file: IO[bytes]) -> None:
    import numpy as np

    if path.suffix.lower() == ".npz":
        np.savez(file, codes=codes)
    else:
        np.save(file, codes, allow_pickle=False)


command = OfModel(
    "encode",
    params=[
        model_argument(),
        data_argument(),
        *words.size_options(),
        Option(["--out"], required=True, metavar="PATH", help="codes.npz (as `codes`) or codes.npy"),
        json_option(),
    ],
    callback=encode,
    help="Write the representation that a model gives each record.",
)
