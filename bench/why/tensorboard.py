"""A run's traces in TensorBoard: another program, started here and ended with this one."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from feedbench.bench.processes.command import command_of
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.records.storage import read_run
from feedbench.pipelines.errors import FeedbenchError, RequestError

_HOST = "127.0.0.1"  # a trace has the names of the user's files
_START_SECONDS = 60.0
_END_SECONDS = 10.0
_ANSWER_SECONDS = 5.0  # for one request
_PAUSE_SECONDS = 0.2
_TRY = "try python -m tensorboard.main --logdir RUN/traces"


def serve(run: Path, port: int, say: Callable[[str], object]) -> None:
    """Serve until TensorBoard ends or is interrupted. Raises RequestError if it cannot start."""
    read_run(run)
    traces = RunFolder(run).traces
    if not any(traces.rglob("*.xplane.pb")):
        raise RequestError(
            f"{run} has no traces: it was run with --no-trace, or its time was too short for them",
            hint="run again without --no-trace, and raise --time",
        )
    port = _free(port)
    process = _started(traces, port)
    try:
        wait_for(process, port)
        say(f"The traces are at http://{_HOST}:{port}/#profile (Ctrl-C ends TensorBoard)")
        sys.stdout.flush()
        process.wait()
    except KeyboardInterrupt:
        pass
    finally:
        with contextlib.suppress(KeyboardInterrupt):
            end(process)


def end(process: subprocess.Popen[bytes], seconds: float = _END_SECONDS) -> None:
    """End a process, which may be stopped or deaf: it is killed after so many seconds."""
    try:
        process.terminate()
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass
    finally:
        process.kill()  # nothing, if it is gone
    with contextlib.suppress(subprocess.TimeoutExpired):  # it waits for a disk in the kernel
        process.wait(seconds)


def _started(traces: Path, port: int) -> subprocess.Popen[bytes]:
    command = command_of("tensorboard.main", "--logdir", str(traces))
    command += ["--host", _HOST, "--port", str(port), "--load_fast", "false"]
    # Ctrl-C is for this process, which ends it.
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)


def _free(port: int) -> int:
    """Return the port, or for 0 a free one. Raises RequestError if it is not available."""
    with socket.socket() as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            asked.bind((_HOST, port))
        except OSError as error:
            raise RequestError(
                f"--port {port} is not available ({error.strerror})",
                hint="choose another, or 0 for any free port",
            ) from error
        free: int = asked.getsockname()[1]
        return free


def wait_for(process: subprocess.Popen[bytes], port: int, seconds: float = _START_SECONDS) -> None:
    """Wait until TensorBoard answers. Raises FeedbenchError if it ends or does not answer."""
    deadline = time.monotonic() + seconds
    here = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # without a proxy
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise FeedbenchError(
                f"TensorBoard ended with exit code {process.returncode}", hint=_TRY
            )
        try:
            with here.open(f"http://{_HOST}:{port}/", timeout=min(seconds, _ANSWER_SECONDS)):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(_PAUSE_SECONDS)
    raise FeedbenchError(f"TensorBoard did not answer within {seconds:.0f} s", hint=_TRY)
