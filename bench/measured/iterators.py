"""Iterators over epochs that live as long as the process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import Any

from feedbench.pipelines.errors import WrongWorkError

# With AUTOTUNE on, deleting an iterator waits for a thread that sleeps twice as long each time: 4 s
# and more were seen after some windows. The process ends without, and nothing is timed after it.
_NEVER_TORN_DOWN: list[Iterator[Any]] = []


def lasting(batches: Iterable[Any]) -> Iterator[Any]:
    """Return an iterator that is never torn down."""
    iterator = iter(batches)
    _NEVER_TORN_DOWN.append(iterator)
    return iterator


def following(batches: Iterator[Any]) -> Any:
    """Return the next batch of an iterator over many epochs. Raises WrongWorkError at its end."""
    try:
        return next(batches)
    except StopIteration:
        raise WrongWorkError(
            "its repeat() ended; expected epoch after epoch without an end"
        ) from None


def endless(feed: Any) -> Iterator[Any]:
    """Return a lasting iterator over many epochs; the feed's own if it has one."""
    has_own = hasattr(feed, "repeat")
    return lasting(feed.repeat() if has_own else chain.from_iterable(repeat(feed)))
