"""Gates as the tests need them."""

from __future__ import annotations

from msgspec.structs import replace

from feedbench.bench.records.checks.gate import Arm, GateRecord
from tests.support.builders import ENVIRONMENT

SLOWER = GateRecord(
    word="slower",
    exit_code=1,
    tolerance=0.1,
    level=0.99,
    ratio=0.694,
    ratio_low=0.672,
    ratio_high=0.717,
    base=Arm(spec="base/loader.py:photos", rate=1000.0),
    new=Arm(spec="loader.py:photos", rate=694.0),
    blocks=4,
    undisturbed_blocks=4,
    block_seconds=20.0,
    seconds=104.0,
    status="complete",
    stopped_because="decided",
    started_at="2026-01-01T00:00:00+00:00",
    folder="gate",
    images=512,
    environment=ENVIRONMENT,
)
FINE = replace(SLOWER, word="not slower", exit_code=0, ratio=1.0, ratio_low=0.97, ratio_high=1.03)
UNSURE = replace(SLOWER, word="cannot tell", exit_code=3, ratio=0.9, ratio_low=0.85, more_blocks=12)
FAILED = replace(
    SLOWER,
    word="failed",
    exit_code=2,
    ratio=None,
    ratio_low=None,
    ratio_high=None,
    why="it failed as the new one: it raised OSError: gone",
)
