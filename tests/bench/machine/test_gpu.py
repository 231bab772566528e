"""What is said of GPUs, by a library that answers as NVML would. Its errors are pynvml's own."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import msgspec
import pynvml
import pytest

from feedbench.bench.machine.gpu import GpuMeter, GpuReading
from feedbench.bench.records.conditions.usage import GpuUsage
from tests.support.programs.nvml import Nvml

WHOLE = GpuReading(utilisation=0.5, memory_bytes=2e9, watts=70.0)


def used(nvml: Nvml) -> Any:
    meter = GpuMeter(nvml)
    return meter.used([meter.read(), meter.read()])


def test_each_device_is_read_in_shares_bytes_and_watts() -> None:
    second = msgspec.structs.replace(WHOLE, utilisation=0.75)
    assert GpuMeter(Nvml()).read() == [WHOLE, second]


def test_each_device_is_named() -> None:
    assert [gpu.name for gpu in used(Nvml())] == ["NVIDIA A", "NVIDIA B"]


def test_utilisation_and_power_are_means_and_memory_the_most() -> None:
    nvml = Nvml(nvmlDeviceGetCount=1)
    meter = GpuMeter(nvml)
    readings = []
    for percent, used_bytes, milliwatts in ((90, 5, 9_000), (10, 7, 20_000), (30, 6, 40_000)):
        nvml["nvmlDeviceGetUtilizationRates"] = SimpleNamespace(gpu=percent)
        nvml["nvmlDeviceGetMemoryInfo"] = SimpleNamespace(used=used_bytes)
        nvml["nvmlDeviceGetPowerUsage"] = milliwatts
        readings.append(meter.read())
    # The first reading's utilisation and power are of the time before it.
    assert meter.used(readings) == [
        GpuUsage(name="NVIDIA A", utilisation=(0.1 + 0.3) / 2, memory_bytes=7, watts=30.0)
    ]


@pytest.mark.parametrize(
    "told",
    [
        {"nvmlInit": pynvml.NVMLError_LibraryNotFound()},
        {"nvmlInit": pynvml.NVMLError_DriverNotLoaded()},
        {"nvmlDeviceGetCount": 0},
    ],
)
def test_without_library_driver_or_device_there_is_no_gpu(told: dict[str, Any]) -> None:
    assert used(Nvml(**told)) == "no GPU"


@pytest.mark.parametrize("function", ["nvmlInit", "nvmlDeviceGetCount"])
@pytest.mark.parametrize("error", [pynvml.NVMLError_Unknown(), pynvml.NVMLError_NoPermission()])
def test_where_nvml_does_not_answer_nothing_is_available(function: str, error: Exception) -> None:
    assert used(Nvml(**{function: error})) == "not available"


FIGURES = {
    "nvmlDeviceGetUtilizationRates": "utilisation",
    "nvmlDeviceGetMemoryInfo": "memory_bytes",
    "nvmlDeviceGetPowerUsage": "watts",
}
REASONS = [
    (pynvml.NVMLError_NotSupported(), "not supported"),
    (pynvml.NVMLError_GpuIsLost(), "not available"),
    (pynvml.NVMLError_FunctionNotFound(), "not available"),
]


@pytest.mark.parametrize(("error", "reason"), REASONS)
@pytest.mark.parametrize(("function", "figure"), FIGURES.items())
def test_each_figure_is_there_or_says_by_itself_why_not(
    function: str, figure: str, error: Exception, reason: str
) -> None:
    for gpu in used(Nvml(**{function: error})):
        assert getattr(gpu, figure) == reason
        others = FIGURES.keys() - {function}
        assert all(isinstance(getattr(gpu, FIGURES[other]), float) for other in others)


@pytest.mark.parametrize(("error", "reason"), REASONS)
@pytest.mark.parametrize(("function", "figure"), FIGURES.items())
def test_a_figure_that_was_missing_once_is_no_mean_of_the_others(
    function: str, figure: str, error: Exception, reason: str
) -> None:
    nvml = Nvml()
    meter = GpuMeter(nvml)
    readings = [meter.read(), meter.read()]
    nvml[function] = error
    readings.append(meter.read())
    gpus = meter.used(readings)
    assert not isinstance(gpus, str)
    assert [getattr(gpu, figure) for gpu in gpus] == [reason, reason]


def test_a_device_that_cannot_be_had_has_a_number_and_no_figures() -> None:
    handles: Any = {0: 0}

    def handle(index: int) -> int:
        if index not in handles:
            raise pynvml.NVMLError_NoPermission
        return index

    first, second = used(Nvml(nvmlDeviceGetHandleByIndex=handle))
    assert first.utilisation == 0.5
    assert second == GpuUsage(
        name="GPU 1",
        utilisation="not available",
        memory_bytes="not available",
        watts="not available",
    )


def test_a_device_without_a_name_has_a_number() -> None:
    first, _ = used(Nvml(nvmlDeviceGetName=pynvml.NVMLError_NotSupported()))
    assert (first.name, first.utilisation) == ("GPU 0", 0.5)


def test_nvml_is_opened_once_and_closed_once() -> None:
    nvml = Nvml()
    meter = GpuMeter(nvml)
    meter.read()
    meter.read()
    meter.close()
    meter.close()
    assert nvml.calls.count("nvmlInit") == 1
    assert nvml.calls.count("nvmlShutdown") == 1


def test_what_could_not_be_opened_is_not_closed_and_a_failing_close_is_of_no_account() -> None:
    nvml = Nvml(nvmlInit=pynvml.NVMLError_LibraryNotFound())
    GpuMeter(nvml).close()
    assert "nvmlShutdown" not in nvml.calls
    GpuMeter(Nvml(nvmlShutdown=pynvml.NVMLError_Unknown())).close()


def test_the_real_library_answers_with_devices_or_with_a_reason() -> None:
    meter = GpuMeter()
    gpus = meter.used([meter.read(), meter.read()])
    meter.close()
    assert gpus in ("no GPU", "not available") or all(isinstance(g, GpuUsage) for g in gpus)


def test_the_library_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, feedbench.bench.machine.meters; sys.exit('pynvml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
