"""The state of the page cache around first epochs."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["warm", "cold"]


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the page cache around a trial's first epoch."""

    asked: State
    files: int  # that the pipeline reads
    bytes: int  # of these
    resident: float | None = None  # the share before the trial; null: not known
    read_bytes: int | None = None  # from the device in the first epoch; null: not known
    why_not: str | None = None  # a clause: why it is not certified
    is_contradicted: bool = False  # the state is known to differ from the requested one

    @property
    def is_certified(self) -> bool:
        """Whether the requested state is confirmed."""
        return self.why_not is None


class PageCacheUse(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the page cache around a pipeline's first epochs, over its trials."""

    asked: State
    files: int  # that the pipeline reads
    bytes: int  # of these
    resident: float | None  # the mean share before a trial
    read_bytes: float | None  # from the device in a first epoch, the mean
    trials: int
    certified: int  # of these
    contradicted: int = 0  # trials in another state: left out of the first epoch's times
    why_not: str | None = None  # a clause: why the first was not
