"""Lines to and from another process, by two pipes. No call waits longer than it is given.

The other process may be killed, stopped by a signal, silent, or never end its line.
"""

from __future__ import annotations

import os
import select
import time

_MOST_BYTES = 1 << 28  # of a line; one that is longer is no message of Feedbench


class LinePipes:
    """The ends of two pipes: one for lines to a process, one for lines from it."""

    def __init__(self, to_it: int, from_it: int) -> None:
        """Take the two descriptors, whose owner closes them."""
        os.set_blocking(to_it, False)  # of this end alone
        self._to, self._from = to_it, from_it
        self._received = b""
        self.is_closed = False  # whether no process has the other end of the second pipe

    def send(self, line: bytes, seconds: float) -> bool:
        """Send a line, and return whether all of it went into the pipe in this time.

        If the process is stopped, the pipe may be full; if it is gone, there is no pipe.
        """
        deadline = time.monotonic() + seconds
        rest = memoryview(line + b"\n")
        while rest:
            if not select.select([], [self._to], [], _until(deadline))[1]:
                return False
            try:
                rest = rest[os.write(self._to, rest) :]
            except BlockingIOError:  # there is room, but less than the kernel needs
                time.sleep(0.001)
            except BrokenPipeError:
                return False
        return True

    def next(self, seconds: float) -> bytes | None:
        """Return the next line without its end; None if none is complete in this time."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._received:
            if not select.select([self._from], [], [], _until(deadline))[0]:
                return None
            received = os.read(self._from, 1 << 16)
            if not received:
                self.is_closed = True
                return None
            self._received = (self._received + received)[-_MOST_BYTES:]
            if time.monotonic() > deadline and b"\n" not in received:
                return None
        line, _, self._received = self._received.partition(b"\n")
        return line


def _until(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.0)
