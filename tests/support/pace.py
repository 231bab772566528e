"""The paces at which tests have Feedbench measure."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from feedbench.bench.records.pace import Pace

CALM = Pace(
    least_seconds=0.1,
    long_seconds=0.4,
    restart_seconds=0.1,
    probe_seconds=0.01,
    wait_seconds=0.5,
    ramp_seconds=0.1,
    rounds=4,
    most_rounds=4,
    turn_seconds=0.05,
    long_turn_seconds=0.2,
    settle_seconds=0.005,
    most_settle_seconds=0.5,
    low_hashed=0.0,
    least_low_hashed=0.0,
    low_copied=0.0,
    most_others_share=1.0,
)
"""Windows are a tenth as long, and nothing disturbs a trial. A test of what a run does, writes and
says does not depend on how steady this machine is just now."""

_NEVER = 99.0  # times the good level, which no probe reaches
RESTLESS = replace(CALM, low_hashed=_NEVER, least_low_hashed=_NEVER, low_copied=_NEVER)
"""Windows are as short, and every trial is disturbed."""

UNHURRIED = replace(CALM, ramp_seconds=0.3, least_seconds=0.3)
"""Windows are long enough for CPU time, even if this process reads it late."""


def paced(machine: Literal["calm", "restless", "unhurried", "real"] = "calm") -> dict[str, str]:
    """Return the variables of an environment in which Feedbench measures at such a pace."""
    if machine == "real":
        return {}
    pace = {"calm": CALM, "restless": RESTLESS, "unhurried": UNHURRIED}[machine]
    return {"FEEDBENCH_PACE": msgspec.json.encode(pace).decode()}
