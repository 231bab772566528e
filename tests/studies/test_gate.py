"""What does a gate find, and how soon? Figures to read, recorded and never asserted upon.

Real gates over flowers, calm and with another program running: an equal pair, and loaders whose
rate is 5, 10 and 44 % lower. FEEDBENCH_GATES is how many of each; a gate takes one to ten minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.pipelines import loaders

pytestmark = [pytest.mark.study, pytest.mark.tensorflow, pytest.mark.alone]

GATES = int(os.environ.get("FEEDBENCH_GATES", "1"))
TOLERANCE = "5%"
# Percent by which the rate is lower -> the share of the images that are decoded twice. It is
# larger than the lost time, because a batch is stacked only once.
SHARES = {0: 0.0, 5: 0.0605, 10: 0.128, 44: 0.90}
TWICE = """
def photos(workload):
    owed, place = 0.0, 0
    for images, labels in batches(workload):
        owed += SHARE * len(labels)
        for _ in range(int(owed)):
            read(workload.files[place % workload.images], workload)
            place += 1
        owed -= int(owed)
        yield images, labels
"""
# As a program of another user: a second of work on one core, then four of rest.
NEIGHBOUR = """
import time
while True:
    end = time.monotonic() + 1
    while time.monotonic() < end:
        pass
    time.sleep(4)
"""


@contextmanager
def neighbour(*, is_busy: bool) -> Iterator[None]:
    """Run another program meanwhile, if it is to be busy."""
    if not is_busy:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", NEIGHBOUR]) as process:
        try:
            yield
        finally:
            process.kill()


@pytest.mark.parametrize("is_busy", [False, True], ids=["calm", "busy"])
@pytest.mark.parametrize("percent", [*SHARES])
def test_what_a_gate_finds_and_how_soon(
    percent: int, is_busy: bool, flowers: Path, tmp_path: Path
) -> None:
    (tmp_path / "base").mkdir()
    loaders.write_loader(tmp_path / "base", TWICE.replace("SHARE", "0.0"))
    loaders.write_loader(tmp_path, TWICE.replace("SHARE", str(SHARES[percent])))
    pair = ["--base", "base/loader.py:photos", "--new", "loader.py:photos"]
    for number in range(GATES):
        out = tmp_path / f"gate-{number}"
        feedbench = str(Path(sys.executable).with_name("feedbench"))
        options = ["--tolerance", TOLERANCE, "--seed", str(number), "--out", str(out)]
        words = [feedbench, "gate", str(flowers), *pair, *options]
        begun = time.monotonic()
        with neighbour(is_busy=is_busy):
            subprocess.run(words, cwd=tmp_path, capture_output=True, check=False)
        seconds = time.monotonic() - begun
        gate = json.loads((out / "gate.json").read_text())
        ratio = gate["why"]
        if gate["ratio"] is not None:
            ratio = f"{gate['ratio']:.3f} ({gate['ratio_low']:.3f} to {gate['ratio_high']:.3f})"
        blocks = f"{gate['undisturbed_blocks']} of {gate['blocks']} blocks"
        name = f"{percent} % slower, {'busy' if is_busy else 'calm'}"
        print(f"\n{name}: {gate['word']}, {ratio}, {blocks}, {seconds:.0f} s")
