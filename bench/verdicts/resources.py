"""A row's resources besides time, from its trials. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from msgspec.structs import replace

from feedbench.bench.records.conditions.page_cache import Certificate, PageCacheUse
from feedbench.bench.records.conditions.usage import GpuUsage, Latency, NoGpu, Usage, combined
from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.row import Row
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.windows import counted

MOST_CONSUMER_SHARE = 0.01  # above it, a row notes that the harness limits its rate


def with_resources(row: Row, trials: Sequence[TrialRecord]) -> Row:
    """Return the row with the resources of its trials, all of which were measured.

    A figure comes from the trials that have it, and is null if none has. A GPU's figure is missing
    if it is missing in any trial, to keep the reason.
    """
    used = [(trial.usage, _rate_of_usage(trial)) for trial in trials if trial.usage is not None]
    measured = [trial.measured for trial in trials if trial.measured is not None]
    peaks = [m.peak_memory_bytes for m in measured if m.peak_memory_bytes is not None]
    cpu = [(u.cpu_seconds, u, rate) for u, rate in used if u.cpu_seconds is not None]
    read = [(u.read_bytes, u, rate) for u, rate in used if u.read_bytes is not None]
    cpu_seconds = sum(seconds for seconds, _, _ in cpu)
    could_use = sum(u.seconds * u.trial_cores for _, u, _ in cpu)
    return replace(
        row,
        latency=_latency([m.latency for m in measured if m.latency is not None]),
        consumer_share=consumer_share(measured),
        cpu_seconds_per_1000_images=_share(1000 * cpu_seconds, _images(cpu)),
        cpu_utilisation=_share(cpu_seconds, could_use),
        peak_memory_bytes=max(peaks, default=None),
        read_bytes_per_image=_share(sum(count for count, _, _ in read), _images(read)),
        received_bytes_per_image=_received_bytes(measured),
        gpus=gpus_of([u.gpus for u, _ in used]),
        page_cache=_page_cache_use([t.page_cache for t in trials if t.page_cache is not None]),
    )


def _received_bytes(measured: Sequence[Measurement]) -> float | None:
    """Return the bytes an image that came by TCP in first epochs; None: by none, or not known."""
    known = [each for each in measured if each.received_bytes is not None]
    images = sum(each.first_epoch_images for each in known)
    return _share(sum(each.received_bytes or 0 for each in known), images)


def consumer_share(measured: Sequence[Measurement]) -> float | None:
    """Return the harness's share of the windows' time: its cost per batch times the batches."""
    shares = [
        m.consumer_seconds * m.latency.batches / sum(w.seconds for w in counted(m.windows))
        for m in measured
        if m.consumer_seconds is not None and m.latency is not None
    ]
    return fmean(shares) if shares else None


def _page_cache_use(certificates: Sequence[Certificate]) -> PageCacheUse | None:
    """Return the state of the page cache around first epochs; None if there are no certificates."""
    if not certificates:
        return None
    resident = [c.resident for c in certificates if c.resident is not None]
    read = [c.read_bytes for c in certificates if c.read_bytes is not None]
    return PageCacheUse(
        asked=certificates[0].asked,
        files=certificates[0].files,
        bytes=certificates[0].bytes,
        resident=fmean(resident) if resident else None,
        read_bytes=fmean(read) if read else None,
        trials=len(certificates),
        certified=sum(c.is_certified for c in certificates),
        contradicted=sum(c.is_contradicted for c in certificates),
        why_not=next((c.why_not for c in certificates if c.why_not is not None), None),
    )


def _rate_of_usage(trial: TrialRecord) -> float:
    """Return the rate while the usage was read: in a rotation, before the turns."""
    if trial.measured is not None and trial.measured.windows:
        return trial.measured.rate
    return trial.rate


def _images(used: Sequence[tuple[float, Usage, float]]) -> float:
    """Return about how many images arrived between the first and the last reading.

    `used` holds a figure, the usage that it is a part of, and the rate of each trial.
    """
    return sum(usage.seconds * rate for _, usage, rate in used)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _latency(latencies: Sequence[Latency]) -> Latency | None:
    if not latencies:
        return None
    return Latency(
        batches=sum(latency.batches for latency in latencies),
        p50=fmean(latency.p50 for latency in latencies),
        p95=fmean(latency.p95 for latency in latencies),
        p99=fmean(latency.p99 for latency in latencies),
        longest=max(latency.longest for latency in latencies),
    )


def gpus_of(of_trials: Sequence[list[GpuUsage] | NoGpu]) -> list[GpuUsage] | NoGpu | None:
    """Return each GPU's means over trials; why there is none; None without a trial."""
    listed: list[list[GpuUsage]] = []
    for gpus in of_trials:
        if isinstance(gpus, str):
            return gpus
        listed.append(gpus)
    return [_gpu(readings) for readings in zip(*listed, strict=True)] if listed else None


def _gpu(trials: Sequence[GpuUsage]) -> GpuUsage:
    return GpuUsage(
        name=trials[0].name,
        utilisation=combined(fmean, [gpu.utilisation for gpu in trials]),
        memory_bytes=combined(max, [gpu.memory_bytes for gpu in trials]),
        watts=combined(fmean, [gpu.watts for gpu in trials]),
    )
