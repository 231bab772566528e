"""How long a trial may take."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace


class Limit(msgspec.Struct, frozen=True):
    """How long a trial may take."""

    seconds: float
    is_deadline: bool = False  # the run's time is up then, which is no fault of the pipeline
    advice: str = ""  # what the user can do about it
    ends_at: float | None = None  # CLOCK_MONOTONIC seconds: when the run's time is up
    begin_by: float | None = None  # likewise: the trial waits for a calm machine until then

    def at(self, now: float) -> Limit:
        """Return the limit of a trial that begins now, which may be later than planned."""
        if self.ends_at is None or self.ends_at - now > self.seconds:
            return self
        return replace(self, seconds=max(self.ends_at - now, 0.0), is_deadline=True)
