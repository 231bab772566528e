"""How calm the machine was: probes, kernel counters, and what they say of a trial and of a run."""

from __future__ import annotations

import msgspec

from feedbench.bench.records.pace import USUAL


class Speed(msgspec.Struct, frozen=True):
    """What a probe counted, over all cores: units of work a second."""

    hashed: float
    copied: float


class Share(msgspec.Struct, frozen=True):
    """A speed beside the good one, as shares of it."""

    hashed: float
    copied: float


def is_low(share: Share, low: Share) -> bool:
    """Tell whether either kind of work is slower than is good."""
    return share.hashed < low.hashed or share.copied < low.copied


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds since some moment long ago; and between two of them, what differs."""

    stolen: float | None = None  # by the hypervisor, over all cores: proc_stat(5), steal
    throttled: float | None = None  # by the quota of a cgroup around us: cpu.stat
    cpu_pressure: float | None = None  # in which some task waited for a core: Pressure Stall
    io_pressure: float | None = None  # Information, Documentation/accounting/psi.rst
    memory_pressure: float | None = None

    def since(self, before: Counters) -> Counters:
        """Return what was counted after another reading."""
        fields = {}
        for name in self.__struct_fields__:
            now, then = getattr(self, name), getattr(before, name)
            fields[name] = None if now is None or then is None else max(now - then, 0.0)
        return Counters(**fields)


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine was like around one trial. Speeds as shares of the good level."""

    before: Share
    after: Share
    low: Share  # under which a probe is low
    waited_seconds: float  # for a good probe
    counters: Counters  # what the kernel counted meanwhile
    good: Speed | None = None  # the good level; None: of a run that was before it was kept
    most_others_share: float = USUAL.most_others_share  # of the cores: more disturbs a trial

    @property
    def is_disturbed(self) -> bool:
        """Whether the machine was not what it was when it was calibrated."""
        return is_low(self.before, self.low) or is_low(self.after, self.low)


class BlockCalm(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine was like in one block. Seconds over all its trials; null: not available."""

    block: int
    seconds: float  # of its trials
    probes: list[Share]  # before and after each, as shares of the good level
    disturbed: list[str]  # labels
    stolen_seconds: float | None
    throttled_seconds: float | None
    cpu_pressure_seconds: float | None
    io_pressure_seconds: float | None
    memory_pressure_seconds: float | None
    # That threads of its trials were ready and had no core: their sum, so it may exceed the time.
    run_delay_seconds: float | None = None
    control: float | None = None  # undisturbed rates: the baseline's second copy to the baseline


class Calm(msgspec.Struct, frozen=True, kw_only=True):
    """How calm the machine was."""

    good: Speed | None = None  # the good level: the median, where going on calibrated anew
    low: Share  # of the good level, under which a probe is low
    lowest: Share  # of all probes, each kind of work by itself
    middle: Share  # their medians: hashing far over 1, the calibration itself was disturbed
    attempts: int  # trials, retaken ones included
    disturbed: int  # of these
    retaken: int
    waited_seconds: float  # for good probes
    probe_seconds: float  # that all probes took
    others: float | None = None  # the most of the cores that other programs took in a trial
    most_others_share: float = USUAL.most_others_share  # more disturbs a trial
    blocks: list[BlockCalm]
