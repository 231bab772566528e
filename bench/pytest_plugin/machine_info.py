"""The machine as pytest-benchmark saves it, and what of it a comparison leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedbench.bench.machine.environment import describe

# py-cpuinfo reads the clock rate of this moment. Where the processor's name has none, as with AMD's
# EPYC, this is also the advertised one.
_CHANGING = {"hz_actual", "hz_actual_friendly", "hz_advertised", "hz_advertised_friendly"}
_PACKAGES = "packages"


def add_packages(machine_info: dict[str, Any]) -> None:
    """Add the versions of the packages, as a run's benchmark.json has them."""
    machine_info[_PACKAGES] = describe().packages


def has_packages(machine_info: Mapping[str, Any]) -> bool:
    """Return whether a session with tests of pipelines saved this."""
    return _PACKAGES in machine_info


def without_clock_rates(machine_info: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is the same in each session on this machine."""
    cpu = {key: value for key, value in machine_info["cpu"].items() if key not in _CHANGING}
    return {**machine_info, "cpu": cpu}
