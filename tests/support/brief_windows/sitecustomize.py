"""What each Python that a test's command starts imports first: short windows, no neighbour seen.

A test of what a run does, writes and says is no test of how steady this machine is just now. So
windows are a tenth as long, and no trial is disturbed; all else is as people have it. Where
TESTS_MACHINE is "restless" it is the other way round: every probe is low once the machine was
calibrated. Where the real machine is the matter, this is left out (see tests/support/command.py).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_SPEED: dict[str, dict[str, Any]] = {
    "calm": {"_LEAST_DROP": 1.0, "_MOST_DROP": 1.0, "_LOW_COPIED": 0.0},
    "restless": {},
}
_CALM: dict[str, dict[str, Any]] = {
    "calm": {},
    "restless": {"is_low": lambda _share, _low: True},
}
_MACHINE = os.environ.get("TESTS_MACHINE", "calm")
CHANGED: dict[str, dict[str, Any]] = {
    "feedbench.bench.records.windows": {
        "LEAST_SECONDS": 0.1,
        "LONG_SECONDS": 0.4,
        "RESTART_SECONDS": 0.1,
    },
    "feedbench.bench.machine.speed_probe": _SPEED[_MACHINE],
    "feedbench.bench.records.calm": {"MOST_OTHERS_SHARE": 1.0} | _CALM[_MACHINE],
}


class Changing(MetaPathFinder):
    """Changes a module's constants when it is imported, so that nothing is imported for them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in CHANGED:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is None or found.loader is None:
            return None
        execute = found.loader.exec_module

        def changed(module: ModuleType) -> None:
            execute(module)
            for name, value in CHANGED[fullname].items():
                getattr(module, name)  # or it has another name by now
                setattr(module, name, value)

        found.loader.exec_module = changed  # type: ignore[method-assign]
        return found


sys.meta_path.insert(0, Changing())
