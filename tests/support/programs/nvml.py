"""A library that answers as NVIDIA's NVML would. Its errors are pynvml's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pynvml

_ANSWERS: dict[str, Any] = {
    "nvmlInit": None,
    "nvmlShutdown": None,
    "nvmlDeviceGetCount": 2,
    "nvmlDeviceGetHandleByIndex": lambda index: index,
    "nvmlDeviceGetName": lambda handle: f"NVIDIA {'AB'[handle]}",
    "nvmlDeviceGetUtilizationRates": lambda handle: SimpleNamespace(gpu=[50, 75][handle], memory=1),
    "nvmlDeviceGetMemoryInfo": lambda _: SimpleNamespace(used=2_000_000_000, free=1, total=3),
    "nvmlDeviceGetPowerUsage": lambda _: 70_000,
}


class Nvml:
    """Two devices, unless a function is told to return something else, or to raise it."""

    def __init__(self, **told: Any) -> None:
        self._answers = _ANSWERS | told
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("NVMLError"):
            return getattr(pynvml, name)

        def called(*given: Any) -> Any:
            self.calls.append(name)
            answer = self._answers[name]
            if isinstance(answer, Exception):
                raise answer
            return answer(*given) if callable(answer) else answer

        return called

    def __setitem__(self, name: str, answer: Any) -> None:
        self._answers[name] = answer
