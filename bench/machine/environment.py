"""The machine and the software versions of a run. Imports none of that software."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from feedbench.bench.machine.cores import usable_cores
from feedbench.bench.records.conditions.environment import Environment

_PACKAGES = (
    *("feedbench", "tensorflow", "keras", "numpy", "pillow", "pandas", "scipy"),
    *("opencv-python-headless", "simplejpeg"),
    *("torch", "torchvision", "grain", "nvidia-dali-cuda120", "spdl", "spdl-core", "webdataset"),
)


def describe() -> Environment:
    """Return this machine and this software."""
    return Environment(
        system=platform.platform(),
        processor=_processor(),
        cores=usable_cores(),
        cores_online=os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        python=platform.python_version(),
        packages={name: number for name in _PACKAGES if (number := _version(name))},
    )


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
