"""The use of GPUs, read from NVML, NVIDIA's library that comes with the driver.

Utilisation is the share of the time before a reading in which a kernel was active on the device.
NVML documents that time as 1/6 to 1 s; on newer devices, power is a mean over such a time too.
All devices of the machine are read, including those that other programs use.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import msgspec

from feedbench.bench.records.conditions.usage import Figure, GpuUsage, Missing, NoGpu, combined


class GpuReading(msgspec.Struct, frozen=True, kw_only=True):
    """One device at one moment."""

    utilisation: Figure  # 0 to 1
    memory_bytes: Figure  # in use
    watts: Figure


class GpuMeter:
    """Opens NVML and reads every device, until it is closed.

    Open it once per run: without the driver's persistence mode, opening can take a second. `nvml`
    is pynvml or a substitute.
    """

    def __init__(self, nvml: Any = None) -> None:
        if nvml is None:
            import pynvml

            nvml = pynvml
        self._nvml = nvml
        self._is_open = False
        self._devices: list[_Device] | NoGpu = self._opened()

    def close(self) -> None:
        """Shut NVML down."""
        if self._is_open:
            self._is_open = False
            with contextlib.suppress(self._nvml.NVMLError):
                self._nvml.nvmlShutdown()

    def read(self) -> list[GpuReading] | NoGpu:
        """Take a reading of every device."""
        if isinstance(self._devices, str):
            return self._devices
        return [device.read(self._nvml) for device in self._devices]

    def used(self, readings: Sequence[list[GpuReading] | NoGpu]) -> list[GpuUsage] | NoGpu:
        """Sum up the time from the first of these readings to the last, device by device."""
        if isinstance(self._devices, str):
            return self._devices
        listed = [reading for reading in readings if not isinstance(reading, str)]
        return [
            _summed_up(device.name, of_device)
            for device, *of_device in zip(self._devices, *listed, strict=True)
        ]

    def _opened(self) -> list[_Device] | NoGpu:
        nvml = self._nvml
        try:
            nvml.nvmlInit()
            self._is_open = True
            count = nvml.nvmlDeviceGetCount()
        except (nvml.NVMLError_LibraryNotFound, nvml.NVMLError_DriverNotLoaded):
            return "no GPU"
        except nvml.NVMLError:
            return "not available"
        return [_device(nvml, index) for index in range(count)] or "no GPU"


class _Device(msgspec.Struct, frozen=True):
    name: str
    handle: Any  # None: NVML returned none

    def read(self, nvml: Any) -> GpuReading:
        if self.handle is None:
            missing: Missing = "not available"
            return GpuReading(utilisation=missing, memory_bytes=missing, watts=missing)
        return GpuReading(
            utilisation=self._figure(
                nvml, lambda h: nvml.nvmlDeviceGetUtilizationRates(h).gpu / 100
            ),
            memory_bytes=self._figure(nvml, lambda h: nvml.nvmlDeviceGetMemoryInfo(h).used),
            watts=self._figure(nvml, lambda h: nvml.nvmlDeviceGetPowerUsage(h) / 1000),
        )

    def _figure(self, nvml: Any, ask: Callable[[Any], float]) -> Figure:
        try:
            return float(ask(self.handle))
        except nvml.NVMLError_NotSupported:
            return "not supported"
        except nvml.NVMLError:
            return "not available"


def _device(nvml: Any, index: int) -> _Device:
    name = f"GPU {index}"
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
    except nvml.NVMLError:
        return _Device(name, None)
    with contextlib.suppress(nvml.NVMLError):
        name = nvml.nvmlDeviceGetName(handle)
    return _Device(name, handle)


def _summed_up(name: str, readings: Sequence[GpuReading]) -> GpuUsage:
    since = readings[1:]  # the first describes the time before it
    return GpuUsage(
        name=name,
        utilisation=combined(fmean, [reading.utilisation for reading in since]),
        memory_bytes=combined(max, [reading.memory_bytes for reading in readings]),
        watts=combined(fmean, [reading.watts for reading in since]),
    )
