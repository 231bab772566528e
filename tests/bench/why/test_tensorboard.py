"""TensorBoard that is dead, stopped, deaf or silent: small programs in its place."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from feedbench.bench.why.tensorboard import end, wait_for
from feedbench.pipelines.errors import FeedbenchError
from tests.support.waiting import gone

DEAF = (
    "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
)
BRIEF = 0.1  # seconds


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port at which connections are accepted, and never answered."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_a_tensorboard_that_never_answers_is_one_sentence(silent_port: int) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        with pytest.raises(FeedbenchError, match="TensorBoard did not answer within 0 s"):
            wait_for(process, silent_port, BRIEF)
        end(process, BRIEF)


def test_a_tensorboard_that_has_ended_is_one_sentence(silent_port: int) -> None:
    with subprocess.Popen(["false"]) as process:
        process.wait()
        with pytest.raises(FeedbenchError, match="TensorBoard ended with exit code 1"):
            wait_for(process, silent_port, 60.0)


@pytest.mark.parametrize("way", ["stopped", "deaf"])
def test_a_tensorboard_that_is_stopped_or_deaf_is_killed(way: str) -> None:
    words = [sys.executable, "-IS", "-c", DEAF] if way == "deaf" else ["sleep", "60"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        if way == "deaf":
            assert process.stdout is not None
            process.stdout.readline()
        else:
            process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        end(process, BRIEF)
    assert gone([process.pid])
    assert time.monotonic() - begun < 10.0
