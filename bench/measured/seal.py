"""Whether Feedbench's code in a measured process is still what it was before a user's code ran.

A loader may replace a function of Feedbench, or the clock, by accident or for a higher rate. Then
its figures are not those of the rule.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

from feedbench.pipelines.errors import WrongWorkError

_PACKAGES = ("feedbench.bench.measured.", "feedbench.bench.records.", "feedbench.bench.equal_work.")
_CLOCKS = ("monotonic", "perf_counter")
_CONSTANTS = (int, float, str, bytes, tuple, frozenset)


class Seal:
    """The code and the constants of what times and checks, as they were when this was made."""

    def __init__(self) -> None:
        self._parts = dict(_parts())

    def check(self) -> None:
        """Raise WrongWorkError if a part was replaced since."""
        parts = dict(_parts())
        for name, part in self._parts.items():
            if not _is_same(part, parts.get(name)):
                replaced = name.removeprefix("feedbench.")
                raise WrongWorkError(f"it replaced {replaced}, by which it is timed or checked")


Part = tuple[object, ...]


def _parts() -> Iterator[tuple[str, Part]]:
    for clock in _CLOCKS:
        yield f"time.{clock}", (vars(time).get(clock),)
    for name, module in tuple(sys.modules.items()):
        if name.startswith(_PACKAGES) and isinstance(module, ModuleType):
            yield from _of_namespace(name, vars(module))


def _of_namespace(name: str, namespace: Mapping[str, Any]) -> Iterator[tuple[str, Part]]:
    """Yield the parts of a module or a class of these packages."""
    for key, value in tuple(namespace.items()):
        full = f"{name}.{key}"
        if isinstance(value, FunctionType):
            yield full, (value, value.__code__, value.__defaults__)
        elif isinstance(value, property):
            yield full, (value,)
        elif isinstance(value, type):
            yield full, (value,)
            if value.__module__.startswith(_PACKAGES) and f"{value.__module__}.{key}" == full:
                yield from _of_namespace(full, vars(value))
        elif isinstance(value, _CONSTANTS) and not key.startswith("__"):
            yield full, (value,)


def _is_same(part: Part, other: Part | None) -> bool:
    pairs = zip(part, other or (), strict=False)
    return other is not None and all(one is another for one, another in pairs)
