"""A dispatcher and workers of tf.data service as a user starts them: by the program of the page."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.markdown import ROOT, blocks
from tests.support.waiting import until


@dataclass(frozen=True)
class Cluster:
    """Servers that nothing of Feedbench started. Ports are of this machine."""

    dispatcher: int
    workers: tuple[int, ...]
    processes: dict[int, subprocess.Popen[bytes]]  # by port
    start: Callable[[int], None]  # starts the worker of a port, again

    @property
    def address(self) -> str:
        return f"grpc://localhost:{self.dispatcher}"


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    """Start servers, each in an interpreter of its own, and end them after it."""
    (program,) = blocks(ROOT / "docs" / "service.md", "python")
    file = folder / "server.py"
    file.write_text(program.text)
    ports = _free_ports(1 + workers)
    dispatcher, *others = ports
    processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(port: int) -> None:
        words = [] if port == dispatcher else [f"localhost:{dispatcher}", "localhost"]
        command = [sys.executable, str(file), str(port), *words]
        with (folder / f"server-{port}.log").open("wb") as log:
            processes[port] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        ended.callback(processes[port].kill)

    with ExitStack() as ended:
        for port in ports:
            start(port)
        for port in ports:
            until(lambda port=port: _answers(port, processes[port]))  # type: ignore[misc]
        yield Cluster(dispatcher, tuple(others), processes, start)
    for process in processes.values():
        process.wait(10)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, f"the server on port {port} exited"
    with suppress(OSError), socket.create_connection(("localhost", port), 1):
        return True
    return False
