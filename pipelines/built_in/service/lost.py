"""How a trial ends that has lost a process that it needs."""

from __future__ import annotations

import os
import sys

from feedbench.pipelines.system.signals import LOST_EXIT_CODE

WORKERS: list[str] = []
"""The workers of a cluster that were lost during the trial of this process, so far."""


def end_without(sentence: str) -> None:
    """End this process at once, with a sentence in its log.

    The client of tf.data service retries for an hour, in C++: no exception reaches it there.
    """
    print(f"\n{sentence}", file=sys.stderr, flush=True)  # noqa: T201 - the trial's log
    os._exit(LOST_EXIT_CODE)
