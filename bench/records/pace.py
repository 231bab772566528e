"""How long trials are timed and the machine is probed, and how calm it must be."""

from __future__ import annotations

from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Portion = Annotated[float, msgspec.Meta(ge=0)]  # a share that may be over 1


class Pace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long windows, restarted epochs and probes are, and what counts as a disturbance.

    Every run has the defaults. Tests set other values in the environment variable FEEDBENCH_PACE,
    as JSON, to measure briefly and on a busy machine.

    On the shared machine of the studies, hashing varies by 3 % (0.90 to 1.05 of its median within a
    minute). Copying shares the memory with all neighbours and varies by 14 % (0.78 to 1.54), from
    one probe to the next and for minutes. Yet in a slow period of copying, 21 trials of
    tfdata_naive were only 2 % slower. With one limit for both, 33 of 40 trials were left out, so
    copying may drop further. Other programs used 0 to 0.5 % of two idle cores, and 5 to 49 % next
    to another run.
    """

    least_seconds: Seconds = 1.0  # a window is at least as long, and holds several batches, ...
    long_seconds: Seconds = 4.0  # ... or it is as long as this, and holds a few
    rounds: Count = 8  # of turns in a block, before variances are known; 0: no turns
    least_rounds: Count = 4  # of a block in which trials take turns
    most_rounds: Count = 40  # where processes differ little, compared with turns
    ramp_seconds: Seconds = 0.5  # likewise of a window before the turns of a rotation
    turn_seconds: Seconds = 0.5  # likewise of a turn's window, ...
    long_turn_seconds: Seconds = 1.5  # ... or it is as long as this, and holds a few
    settle_seconds: Seconds = 0.03  # a pipeline that wakes up drops batches for so long, at least
    most_settle_seconds: Seconds = 2.0  # and at most, until it has to wait for one
    restart_seconds: Seconds = 1.0  # further epochs are restarted until they took this
    probe_seconds: Seconds = 0.1  # of the machine's speed, half of it hashing, and half copying
    wait_seconds: Seconds = 5.0  # for a good probe; then the trial starts in any case
    # Shares of the reference speed. Hashing is low below the first limit. If the calibration's own
    # probes varied much, the limit is lower, but never below the second.
    low_hashed: Portion = 0.85
    least_low_hashed: Portion = 0.7
    low_copied: Portion = 0.5
    most_others_share: Portion = 0.05  # of the cores: other programs that use more disturb a trial

    def before_turns(self) -> Pace:
        """Return the pace of the windows before the turns of a rotation."""
        return msgspec.structs.replace(self, least_seconds=self.ramp_seconds)


USUAL = Pace()

BRIEF = Pace(
    least_seconds=0.4,
    long_seconds=1.0,
    restart_seconds=0.4,
    ramp_seconds=0.3,
    turn_seconds=0.3,
    long_turn_seconds=1.0,
    rounds=6,
    least_rounds=3,
)
"""Of a run whose time is short: more blocks of shorter windows."""
