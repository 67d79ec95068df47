"""Processes that end in every way but well: the reason is said, and nobody waits."""

import queue
import sys

import pytest

from pushforward.compare.keep import Job
from pushforward.compare.launch import Running

JOB = Job("gan", {}, 0, 1.0, (), 1)


@pytest.mark.parametrize(
    "code, why",
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL, as systems do to who wants more memory"),
        ("import sys; print('bad luck', file=sys.stderr); sys.exit(3)", "ended with code 3: bad luck"),
        ("raise SystemExit(74)", "no room left on the disk"),
        ("import time; time.sleep(60)", "ended after 1 s"),
        ("print('not json')", None),
    ],
)
def test_the_end_of_a_process_is_put_into_words(tmp_path, code, why):
    said = queue.Queue()
    Running(JOB, tmp_path, 1, 1.0 if "sleep" in code else 30.0, said, command=(sys.executable, "-c", code))
    end = said.get(timeout=30)
    assert end.ended and (end.failed is None if why is None else why in end.failed)
    assert end.full == (why is not None and "disk" in why)


def test_what_it_says_is_heard_and_it_ends_when_told(tmp_path):
    said = queue.Queue()
    code = "import json, time; print(json.dumps({'words': 'step 3'}), flush=True); time.sleep(60)"
    process = Running(JOB, tmp_path, 1, 60.0, said, command=(sys.executable, "-c", code))
    assert said.get(timeout=30).words == "step 3"
    process.end()
    assert "SIGTERM" in said.get(timeout=30).failed
