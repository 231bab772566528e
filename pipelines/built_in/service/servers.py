"""A dispatcher and workers of tf.data service on this machine, as processes of their own.

`python -m feedbench.pipelines.built_in.service.servers DISPATCHER CORE PIPE PARENT` is one of them.

They are children of the trial: what they use counts as the trial's, they are stopped and woken with
it, and Linux ends them with it. Each listens on a free port that Linux chooses.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkProcess

from feedbench.pipelines.built_in.service.lost import end_without
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.system.signals import die_with

_START_SECONDS = 60.0  # until it listens: an interpreter that imports TensorFlow takes 7 here
_NEVER_MS = 24 * 60 * 60 * 1000  # a process that is stopped for other trials is not missing
_HEARTBEAT_MS = 1000  # after which a worker forgets what it has finished
_END_SECONDS = 5.0
_ANY_CORE = -1

Process = ForkProcess | subprocess.Popen[bytes]


class Server:
    """One server: its process, and the pipe that says its address, and ends when it dies."""

    def __init__(self, name: str, dispatcher: str = "", core: int = _ANY_CORE) -> None:
        self.name = name
        self.pipe, theirs = os.pipe()
        begin = _fresh if _has_runtime() else _forked
        self.process = begin(dispatcher, core, theirs)
        os.close(theirs)
        self._deadline = time.monotonic() + _START_SECONDS

    def how_it_ended(self) -> str:
        """Return how it ended, as a clause. It is dying, at least."""
        if isinstance(self.process, subprocess.Popen):
            code: int | None = self.process.wait(_END_SECONDS)
        else:
            self.process.join(_END_SECONDS)
            code = self.process.exitcode
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"exited with code {code}"

    def address(self) -> str:
        """Wait until it listens, and return HOST:PORT. Raises RequestError if it does not."""
        line = b""
        while not line.endswith(b"\n"):
            seconds = max(self._deadline - time.monotonic(), 0.0)
            readable, _, _ = select.select([self.pipe], [], [], seconds)
            part = os.read(self.pipe, 256) if readable else b""
            if not part:
                how = f"took more than {_START_SECONDS:g} s to listen"
                if readable:
                    how = f"{self.how_it_ended()} before it listened"
                raise RequestError(
                    f"the {self.name} of tf.data service {how}",
                    hint="the trial's log in the run's folder has what it printed",
                )
            line += part
        return line.decode().strip()


RUNNING: list[Server] = []
"""The servers of this process. A trial has one set; it ends with the trial."""


def started(workers: int, cores: Sequence[int] = ()) -> str:
    """Start a dispatcher and workers, and return the dispatcher's address, grpc://HOST:PORT.

    `cores` has the core of each worker; (): any. When one of them dies, this process ends.
    Raises RequestError if they cannot start.
    """
    atexit.register(end)  # after multiprocessing's own, so that it runs before that
    dispatcher = Server("dispatcher")
    RUNNING.append(dispatcher)
    at = dispatcher.address()
    for number in range(workers):
        core = cores[number] if cores else _ANY_CORE
        RUNNING.append(Server(f"worker {number + 1} of {workers}", at, core))
    for worker in RUNNING[-workers:]:
        worker.address()
    watched = RUNNING[-workers - 1 :]
    threading.Thread(target=_watch, args=(watched,), name="service", daemon=True).start()
    return f"grpc://{at}"


def end() -> None:
    """End all servers of this process, at its end: they are not lost then."""
    ended, RUNNING[:] = [*RUNNING], []
    for server in ended:
        server.process.kill()


def _watch(servers: list[Server]) -> None:
    """Wait until a server dies, and end this process with it, unless that was asked for."""
    by_pipe = {server.pipe: server for server in servers}
    dead, _, _ = select.select([*by_pipe], [], [])
    server = by_pipe[dead[0]]
    if server in RUNNING:
        lost = "" if server is servers[0] else "; its images are lost"
        end_without(f"the {server.name} of tf.data service {server.how_it_ended()}{lost}")


def _has_runtime() -> bool:
    """Whether TensorFlow's runtime has started here. Then a fork would have half of it."""
    if "tensorflow" not in sys.modules:
        return False
    from tensorflow.python.eager import context

    begun = context.context_safe()
    return begun is not None and begun._initialized  # noqa: SLF001 - there is no public way


def _forked(dispatcher: str, core: int, pipe: int) -> Process:
    """Begin a server in a fork of this process, which has imported TensorFlow already."""
    process = get_context("fork").Process(
        target=serve, args=(dispatcher, core, pipe, os.getpid()), daemon=True
    )
    process.start()
    return process


def _fresh(dispatcher: str, core: int, pipe: int) -> Process:
    """Begin a server in an interpreter of its own."""
    words = (dispatcher, str(core), str(pipe), str(os.getpid()))
    command = [sys.executable, "-P", "-m", __name__, *words]
    return subprocess.Popen(command, pass_fds=[pipe], stdin=subprocess.DEVNULL)


def serve(dispatcher: str, core: int, pipe: int, parent: int) -> None:
    """Be a worker of a dispatcher; without one, be a dispatcher. Returns only when it is ended.

    Its address goes into the pipe, which stays open as long as this process is alive.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with(parent)
    if core != _ANY_CORE:
        os.sched_setaffinity(0, {core})
    import tensorflow as tf

    service = tf.data.experimental.service
    if dispatcher:
        config = service.WorkerConfig(
            dispatcher_address=dispatcher, heartbeat_interval_ms=_HEARTBEAT_MS
        )
        server = service.WorkerServer(config)
        address = "ready"
    else:
        server = service.DispatchServer(
            service.DispatcherConfig(
                job_gc_check_interval_ms=_NEVER_MS, worker_timeout_ms=_NEVER_MS
            )
        )
        address = server.target.partition("://")[2]
    os.write(pipe, f"{address}\n".encode())
    server.join()


if __name__ == "__main__":
    serve(sys.argv[1], *map(int, sys.argv[2:]))
