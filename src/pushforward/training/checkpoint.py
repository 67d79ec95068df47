"""Checkpoints: whole directories, written aside, flushed and renamed, so that a crash leaves the one before."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from pushforward.errors import ArgumentError, FormatError

KEPT = 2


class Checkpoints:
    """The checkpoints of one run, in one folder.

    Args:
        folder: where they go; it is made when the first is written.
        fingerprint: what a run must share to go on from them, as plain JSON.

    Raises:
        FormatError: the folder holds something that is not ours.
        ArgumentError: it cannot be made.
    """

    def __init__(self, folder: str | Path, fingerprint: Mapping[str, Any]):
        self.folder = Path(folder)
        self._fingerprint = json.loads(json.dumps(fingerprint))
        if self.folder.is_file() or (self.folder.is_dir() and not self._ours()):
            raise FormatError(f"folder={str(folder)!r} exists and holds no run; name another or empty it")
        above = next(p for p in (self.folder, *self.folder.absolute().parents) if p.exists())
        if not above.is_dir() or not os.access(above, os.W_OK):
            raise ArgumentError(f"folder={str(folder)!r} cannot be made, since {above} may not be written in")

    def save(self, step: int, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Path:
        """Write the state after `step`; what stood there before stays until this is whole.

        Raises:
            ArgumentError: the folder cannot be written.
        """
        final = self.folder / f"step-{step:012d}"
        if final.exists():
            return final
        try:
            self._write(final, step, tensors, facts)
        except (OSError, safetensors.SafetensorError) as error:
            raise ArgumentError(
                f"folder={str(self.folder)!r} cannot be written ({error}); make room there and go on, or name another"
            ) from error
        return final

    def _write(self, final: Path, step: int, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        self._sweep()
        aside = self.folder / f".writing-{os.getpid()}"
        aside.mkdir(parents=True)
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        safetensors.torch.save_file(whole, aside / "state.safetensors")
        (aside / "state.json").write_text(json.dumps({"fingerprint": self._fingerprint, "step": step, **facts}))
        for path in (*aside.iterdir(), aside):
            flush(path)
        aside.rename(final)
        flush(self.folder)
        for old in self._steps()[:-KEPT]:  # renamed first: what is half deleted is no checkpoint any more
            old.rename(old.with_name(f".deleting-{old.name}"))
        self._sweep()

    def latest(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The newest state, or None where none was written.

        Raises:
            FormatError: it belongs to another run, or cannot be read.
        """
        steps = self._steps()
        if not steps:
            return None
        try:
            facts = json.loads((steps[-1] / "state.json").read_text())
            before = dict(facts["fingerprint"])
            tensors = safetensors.torch.load_file(steps[-1] / "state.safetensors")
        except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
            raise FormatError(
                f"checkpoint {steps[-1]} cannot be read ({error}); delete it to go on from another"
            ) from error
        for key, value in self._fingerprint.items():
            if before.get(key) != value:
                raise FormatError(
                    f"folder={str(self.folder)!r} holds a run with {key}={before.get(key)!r}, "
                    f"this one has {key}={value!r}; delete it or name another folder"
                )
        return tensors, facts

    def _steps(self) -> list[Path]:
        return sorted(self.folder.glob("step-*")) if self.folder.is_dir() else []

    def _sweep(self) -> None:
        """Clear away what a run that was killed left half written or half deleted."""
        for rest in (*self.folder.glob(".writing-*"), *self.folder.glob(".deleting-*")):
            shutil.rmtree(rest, ignore_errors=True)

    def _ours(self) -> bool:
        return all(p.name.startswith(("step-", ".writing-", ".deleting-")) for p in self.folder.iterdir())


def discard(folder: str | Path) -> None:
    """Delete the checkpoints of a folder and of those in it, and the folders where nothing else is in them."""
    folder = Path(folder)
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name.startswith(("step-", ".writing-", ".deleting-")):
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_dir() and not path.is_symlink():  # a model of several parts keeps a folder for each
            discard(path)
    if not any(folder.iterdir()):
        folder.rmdir()


def flush(path: Path) -> None:
    """Wait until a file or directory is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
