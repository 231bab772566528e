"""Random faults in real runs of the command, from a printed seed."""

from __future__ import annotations

import os
import random

import pytest

from tests.faults.conftest import Played
from tests.faults.scenario import drawn
from tests.faults.stage import BLOCKS

pytestmark = [pytest.mark.tensorflow, pytest.mark.faults]

_SEED = int(os.environ.get("FEEDBENCH_FAULTS_SEED", random.SystemRandom().randrange(10**6)))
_COUNT = int(os.environ.get("FEEDBENCH_FAULTS", "20"))
_PREPARING = ("mine=loader.py:photos", "records=tfrecord_sharded")
_SPECS = (
    ("mine=loader.py:photos", "other=loader.py:photos"),
    ("mine=loader.py:photos", "naive=tfdata_naive"),
    _PREPARING,
)


@pytest.mark.parametrize("seed", range(_SEED, _SEED + _COUNT))
def test_what_must_hold_after_any_fault_holds(
    seed: int, played: Played, possible: frozenset[str]
) -> None:
    scenario = drawn(seed, blocks=BLOCKS, possible=possible)
    is_of_preparation = any(line.phase == "prepare" for line in scenario)
    outcome = played(scenario, _PREPARING if is_of_preparation else _SPECS[seed % len(_SPECS)])
    print(f"\nseed {seed} | {outcome}", flush=True)
    assert not outcome.broken, f"{outcome}\n{outcome.run.err}\n{outcome.run.out}"
