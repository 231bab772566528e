"""How many bytes this process has received by TCP, as the kernel counts them for each socket."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

_FILES = Path("/proc/self/fd")
_INTERNET = {socket.AF_INET, socket.AF_INET6}
# Of struct tcp_info in the kernel's include/uapi/linux/tcp.h: tcpi_bytes_received, since Linux 4.1.
_COUNT = struct.Struct("=Q")
_OFFSET, _LENGTH = 128, 256


class Received:
    """The bytes that came by all TCP connections of this process, those that ended included.

    Headers do not count, nor what came after the last look at a connection that has ended.
    """

    def __init__(self) -> None:
        self._before: dict[int, int] = {}  # by the socket's inode
        self._now: dict[int, int] = {}
        self.look()
        self._before = dict(self._now)

    def look(self) -> None:
        """Read the counters of all connections that are open; one takes some microseconds."""
        for name in _names():
            try:
                inode = os.fstat(name).st_ino
                copy = socket.socket(fileno=os.dup(name))
            except OSError:  # it was closed, or is no socket
                continue
            with copy:
                if copy.family in _INTERNET and copy.type == socket.SOCK_STREAM:
                    self._now[inode] = _count(copy)

    @property
    def bytes(self) -> int | None:
        """The bytes since this object was made; None if the kernel does not count them."""
        if not self._now:
            return None
        return sum(count - self._before.get(inode, 0) for inode, count in self._now.items())


def _names() -> list[int]:
    try:
        return [int(file.name) for file in _FILES.iterdir() if _is_socket(file)]
    except OSError:  # not Linux
        return []


def _is_socket(file: Path) -> bool:
    try:
        return str(file.readlink()).startswith("socket:")
    except OSError:
        return False


def _count(connection: socket.socket) -> int:
    """Return the bytes that a connection has received; 0 from a kernel that does not count."""
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LENGTH)
    except OSError:
        return 0
    if len(info) < _OFFSET + _COUNT.size:
        return 0
    (count,) = _COUNT.unpack_from(info, _OFFSET)
    return int(count)
