"""How calm the machine was around a trial and during a run: probes and kernel counters."""

from __future__ import annotations

import msgspec

from feedbench.bench.records.pace import USUAL

COPIED_BYTES = 1 << 25
"""A unit of copying."""


class Speed(msgspec.Struct, frozen=True):
    """The result of a probe, over all cores: units of work per second."""

    hashed: float
    copied: float  # units of COPIED_BYTES


class Share(msgspec.Struct, frozen=True):
    """A speed as shares of the reference speed."""

    hashed: float
    copied: float


def is_low(share: Share, low: Share) -> bool:
    """Return whether either kind of work is below its limit."""
    return share.hashed < low.hashed or share.copied < low.copied


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """The kernel's counters, in seconds since an arbitrary moment or between two readings."""

    stolen: float | None = None  # by the hypervisor, over all cores: proc_stat(5), steal
    throttled: float | None = None  # by the quota of a cgroup around this process: cpu.stat
    cpu_pressure: float | None = None  # in which some task waited for a core: Pressure Stall
    io_pressure: float | None = None  # Information, Documentation/accounting/psi.rst
    memory_pressure: float | None = None

    def since(self, before: Counters) -> Counters:
        """Return the difference from an earlier reading."""
        fields = {}
        for name in self.__struct_fields__:
            now, then = getattr(self, name), getattr(before, name)
            fields[name] = None if now is None or then is None else max(now - then, 0.0)
        return Counters(**fields)


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the machine around one trial. Speeds are shares of the reference speed."""

    before: Share
    after: Share
    low: Share  # the limit below which a probe is low
    waited_seconds: float  # for a good probe
    counters: Counters  # the kernel's, during the trial
    good: Speed | None = None  # the reference speed; None: earlier versions did not record it
    most_others_share: float = USUAL.most_others_share  # of the cores: more disturbs a trial

    @property
    def is_disturbed(self) -> bool:
        """Whether the machine was slower than when it was calibrated."""
        return is_low(self.before, self.low) or is_low(self.after, self.low)


class BlockCalm(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the machine in one block. Seconds over all its trials; null: not available."""

    block: int
    seconds: float  # of its trials
    probes: list[Share]  # before and after each, as shares of the reference speed
    disturbed: list[str]  # labels of trials, left out or not
    stolen_seconds: float | None
    throttled_seconds: float | None
    cpu_pressure_seconds: float | None
    io_pressure_seconds: float | None
    memory_pressure_seconds: float | None
    # How long threads of its trials were ready but had no core: a sum, so it may exceed the time.
    run_delay_seconds: float | None = None
    control: float | None = None  # undisturbed rates: the baseline's second copy to the baseline


class Calm(msgspec.Struct, frozen=True, kw_only=True):
    """How calm the machine was."""

    good: Speed | None = None  # the reference speed; a median if a resumption calibrated again
    low: Share  # of the reference speed: below it a probe is low
    lowest: Share  # of all probes, each kind of work by itself
    middle: Share  # their medians; hashing far above 1: the calibration itself was disturbed
    attempts: int  # trials, repeated ones included
    disturbed: int  # of these: left out
    noisy: int = 0  # of these, in a rotation: disturbed, but not left out
    retaken: int
    waited_seconds: float  # for good probes
    probe_seconds: float  # that all probes took
    others: float | None = None  # the most of the cores that other programs took in a trial
    most_others_share: float = USUAL.most_others_share  # more disturbs a trial
    blocks: list[BlockCalm]
