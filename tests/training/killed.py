"""Kill a run again and again, at random moments, and see that what stands on the disk is whole.

``python killed.py FOLDER KILLS STEPS`` prints JSON. Children are forked after the imports, so that a kill falls
into training and not into loading PyTorch; with ``checkpoint=0`` every step writes, so most fall into a write.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import safetensors.torch
import torch
import toy


def unreadable(folder: Path) -> list[str]:
    """Checkpoints that cannot be read."""
    bad = []
    for step in folder.glob("step-*"):
        try:
            json.loads((step / "state.json").read_text())
            safetensors.torch.load_file(step / "state.safetensors")
        except Exception as error:
            bad.append(f"{step.name}: {error}")
    return bad


def newest(folder: Path) -> int:
    """The step of the newest checkpoint."""
    return max((int(step.name.removeprefix("step-")) for step in folder.glob("step-*")), default=0)


def child(folder: Path, steps: int) -> int:
    """Fork a process that trains until it is done or killed; return when it has taken a step."""
    ours, its = os.pipe()
    pid = os.fork()
    if pid == 0:
        toy.run_toy(folder, steps, checkpoint=0, look=lambda progress: os.write(its, b"."))
        os._exit(0)
    os.close(its)
    os.read(ours, 1)
    os.close(ours)
    return pid


def main(folder: Path, kills: int, steps: int) -> None:
    """Kill `kills` runs, then let one end, and compare with a run that was never stopped."""
    torch.set_num_threads(1)  # before the first fork: no thread pool that a child would wait for
    whole = toy.run_toy(None, steps)
    moments = random.Random(0)
    facts: dict[str, list] = {"steps": [], "unreadable": [], "half_written": []}
    for _ in range(kills):
        pid = child(folder, steps)
        time.sleep(moments.uniform(0, 0.1))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), "the run ended before it was killed: give it more steps"
        facts["unreadable"] += unreadable(folder)
        facts["half_written"].append(len(list(folder.glob(".*"))))
        facts["steps"].append(newest(folder))
    resumed = toy.run_toy(folder, steps)
    facts["equal"] = all(torch.equal(resumed[k], whole[k]) for k in whole)  # type: ignore[assignment]
    print(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
