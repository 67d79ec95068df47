"""Where a run computes: device, precision and processes, by `accelerate`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from pushforward.errors import ArgumentError, PushforwardError
from pushforward.training.run import Run

# Where launchers say how many processes there are.
WORLDS = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")


class Place:
    """The device, precision and share of the work of this process.

    Args:
        run: whose `device` and `precision` are wanted.
        tiles: whether most of the work is products of large matrices, as of pictures, which some CPUs do much faster
            in half precision.

    Raises:
        ArgumentError: the device is not there.
    """

    def __init__(self, run: Run, tiles: bool = False):
        self.device = torch.device(pick(run.device))
        # Its state is one for the whole process and cannot change its device, so it is asked only where it is needed.
        several = any(int(os.environ.get(name, "1")) > 1 for name in WORLDS)
        self._accelerator = Accelerator(cpu=self.device.type == "cpu") if several else None
        if self._accelerator is not None:
            self.device = self._accelerator.device
        self.precision = run.precision
        if run.precision == "auto":
            pays = half_pays(self.device) and (tiles or self.device.type == "cuda")
            self.precision = "bfloat16" if pays else "float32"

    @property
    def rank(self) -> int:
        """The number of this process."""
        return 0 if self._accelerator is None else self._accelerator.process_index

    @property
    def world(self) -> int:
        """How many processes there are."""
        return 1 if self._accelerator is None else self._accelerator.num_processes

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self._accelerator is None or self._accelerator.is_main_process

    def autocast(self) -> AbstractContextManager:
        """Inside, networks compute in the precision of the run."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16")

    def mean(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors by their mean over the processes."""
        self._reduce(list(tensors), "mean")

    def total(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors by their sum over the processes."""
        self._reduce(list(tensors), "sum")

    def agree(self, value: float) -> float:
        """The value that the first process has."""
        if self.world == 1:
            return value
        shared = torch.tensor([value if self.first else 0.0], dtype=torch.float64, device=self.device)
        self._reduce([shared], "sum")
        return shared.item()

    def _reduce(self, tensors: list[Tensor], how: str) -> None:
        if self._accelerator is None or not tensors:
            return
        flat = torch.cat([t.detach().reshape(-1) for t in tensors])  # one message instead of many
        try:
            flat = self._accelerator.reduce(flat, reduction=how)
        except RuntimeError as error:
            raise PushforwardError(
                "a process of this run has gone; start the same command again to go on from the last checkpoint"
            ) from error
        start = 0
        for tensor in tensors:
            tensor.data.copy_(flat[start : start + tensor.numel()].view_as(tensor))
            start += tensor.numel()


def half_pays(device: torch.device) -> bool:
    """Whether a device has units for products of matrices in bfloat16."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    asked = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return device.type == "cpu" and any(getattr(torch.cpu, name, bool)() for name in asked)


def standing() -> tuple[int, int]:
    """The number of this process, and how many share the run, where a network has to know."""
    together = torch.distributed.is_available() and torch.distributed.is_initialized()
    return (torch.distributed.get_rank(), torch.distributed.get_world_size()) if together else (0, 1)


def add_up(tensors: Iterable[Tensor]) -> None:
    """Replace tensors by their sum over the processes of the run, within a step that all of them take."""
    if standing()[1] > 1:
        for tensor in tensors:
            torch.distributed.all_reduce(tensor)


def pick(device: str) -> str:
    """The device that a name asks for.

    Raises:
        ArgumentError: it is not there.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise ArgumentError(f"device={device!r} is unknown; say auto, cpu, cuda or mps") from error
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(kind, False):
        raise ArgumentError(f"device={device!r} is not on this machine; say auto or cpu")
    return device


def to_device(batch: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """The tensors on a device; MPS has no float64."""
    narrow = device.type == "mps"
    return {
        name: (t.float() if narrow and t.dtype == torch.float64 else t).to(device, non_blocking=True)
        for name, t in batch.items()
    }


def parameters_of(module: nn.Module) -> list[nn.Parameter]:
    """The parameters that learn."""
    return [p for p in module.parameters() if p.requires_grad]
