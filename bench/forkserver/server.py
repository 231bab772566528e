"""A process that has imported TensorFlow, and forks a fresh child for each trial.

`python -m feedbench.bench.forkserver PARENT_PID SCRATCH`: commands on standard input, events on
standard output (records/messages.py). With `--import MODULE ...` at the end, it imports these
modules in place of TensorFlow. Python's multiprocessing forkserver does not suit: its
children run the caller's `__main__` again, it pickles, it hides a failed import, and it outlives a
parent that is killed during a trial. When this one's standard input ends, it ends every trial's
processes and removes SCRATCH. The kernel closes that input however the parent dies.

Only the import runs here: nothing here may start TensorFlow's runtime.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

from feedbench.bench.forkserver.resource_trackers import (
    PATIENCE_SECONDS,
    kill_children,
    kill_group,
)
from feedbench.bench.processes.command import command_of
from feedbench.bench.records.messages import (
    Command,
    End,
    Ended,
    Event,
    Failed,
    Ready,
    Start,
    Started,
    decode_command,
    encode,
)
from feedbench.pipelines.errors import without_controls
from feedbench.pipelines.exceptions import without_nodes
from feedbench.pipelines.system.signals import adopt_orphans, signal_at_parent_death

_COMMANDS = 0
_REAP_SECONDS = 5.0  # for killed processes to be gone
_IMPORT = "--import"
_USUAL = ("keras", "pandas", "tensorflow")


def main(argv: list[str]) -> None:
    """Serve until standard input ends; with `--trial`, perform a single trial."""
    modules = (*argv[argv.index(_IMPORT) + 1 :],) if _IMPORT in argv else _USUAL
    if argv[0] == "--trial":
        _perform_alone(int(argv[1]), int(argv[2]), modules)
    parent, scratch = int(argv[0]), Path(argv[1])
    # While it imports, it cannot see its standard input end.
    signal.signal(signal.SIGTERM, lambda *_: _vanish(scratch))
    _end_with(parent, signal.SIGTERM)
    events = os.dup(1)
    os.dup2(2, 1)  # what an import prints is no event
    ready = _preload(modules)
    signal_at_parent_death(0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    adopt_orphans()
    server = _Server(events, scratch, modules)
    server.say(ready)
    server.serve()


def _preload(modules: tuple[str, ...]) -> Ready:
    """Import what the trials need, so that no trial takes time for it."""
    begun = time.monotonic()
    if "tensorflow" in modules:
        _import_triton()
    for module in modules:
        importlib.import_module(module)
    import PIL.Image

    from feedbench.bench.forkserver import tasks  # noqa: F401 - it takes half a second
    from feedbench.bench.measured import profiler  # noqa: F401

    if "tensorflow" in modules:
        from feedbench.pipelines.built_in import steps  # noqa: F401
    PIL.Image.preinit()  # the decoders that the first image would load
    gc.collect()
    gc.freeze()  # children collect their own garbage only
    seconds = time.monotonic() - begun
    return Ready(tensorflow=_version("tensorflow"), keras=_version("keras"), seconds=seconds)


def _import_triton() -> None:
    """Import Triton, which PyTorch brings, if it is installed.

    TensorFlow shares the symbols of its LLVM with all libraries that are loaded later, and Triton's
    crashes with them: https://github.com/tensorflow/tensorflow/issues/124205. So a loader with
    PyTorch would end its process.
    """
    with contextlib.suppress(Exception):  # it may be broken, and most pipelines do not need it
        importlib.import_module("triton")


def _version(module: str) -> str:
    return str(getattr(sys.modules.get(module), "__version__", ""))


class _Server:
    """Starts trials, ends them, and removes all of their processes.

    Several trials may be alive. Only one of them runs at a time; the parent stops the others.
    """

    def __init__(self, events: int, scratch: Path, modules: tuple[str, ...]) -> None:
        self._events = events
        self._scratch = scratch
        self._modules = modules
        self._trials: set[int] = set()  # processes, each of which is also its group
        self._wake, self._woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)

    def say(self, event: Event) -> None:
        with contextlib.suppress(BrokenPipeError):
            # A trial that was killed while it wrote left half a line: end that line first.
            os.write(self._events, b"\n" + encode(event) + b"\n")

    def serve(self) -> None:
        """Obey commands until standard input ends."""
        begun = b""
        while True:
            readable, _, _ = select.select([_COMMANDS, self._wake], [], [])
            if self._wake in readable:
                os.read(self._wake, 4096)
                self._reap()
            if _COMMANDS in readable:
                received = os.read(_COMMANDS, 65536)
                if not received:
                    break
                *lines, begun = (begun + received).split(b"\n")
                for line in lines:
                    self._obey(decode_command(line))
        for trial in self._trials:
            kill_group(trial, spares_trackers=True)
        self._trials.clear()
        self._kill(None)
        self._wait_until_gone()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _obey(self, command: Command) -> None:
        match command:
            case Start():
                begin = self._fresh if command.fresh_interpreter else self._fork
                trial = begin(command)
                self._trials.add(trial)
                self.say(Started(pid=trial))
            case End():
                for trial in self._trials & {command.trial} if command.trial else self._trials:
                    kill_group(trial, spares_trackers=True)

    def _fork(self, start: Start) -> int:
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setpgid(0, 0)
            _become_trial(start, self._events, server)
        with contextlib.suppress(OSError):  # the child or this process, whichever is first
            os.setpgid(pid, pid)
        return pid

    def _fresh(self, start: Start) -> int:
        words = ("--trial", str(self._events), str(os.getpid()), _IMPORT, *self._modules)
        with Path(start.log).open("ab") as log:
            process = subprocess.Popen(
                command_of("feedbench.bench.forkserver", *words),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[self._events],
                process_group=0,
            )
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(encode(start))
        process.returncode = 0  # it is reaped here, not by subprocess
        return process.pid

    def _reap(self) -> None:
        """Collect ended children; if a trial's process is among them, end its group too."""
        while (status := _waited(os.WNOHANG)) is not None:
            self._collect(*status)

    def _collect(self, pid: int, code: int) -> None:
        if pid not in self._trials:
            return
        self._trials.discard(pid)
        self._kill(pid)
        self._wait_until_gone(pid)
        signal_number = -code if code < 0 else None
        self.say(Ended(trial=pid, exit_code=code if code >= 0 else None, signal=signal_number))

    def _kill(self, trial: int | None, *, spares_trackers: bool = True) -> None:
        """Kill what is left of a trial, and of all if no trial is alive.

        A worker may have left its trial's group; when its parent ends, this process adopts it.
        Whose it is cannot be seen then, so it may live until the last trial of its block ends.
        """
        if trial is not None:
            kill_group(trial, spares_trackers=spares_trackers)
        if not self._trials:
            kill_children(spares_trackers=spares_trackers)

    def _wait_until_gone(self, trial: int | None = None) -> None:
        """Wait for a trial's group; if no trial is alive, for all children."""
        begun = time.monotonic()
        while time.monotonic() < begun + _REAP_SECONDS and self._is_left(trial):
            status = _waited(os.WNOHANG)
            if status is not None:
                self._collect(*status)
                continue
            self._kill(trial, spares_trackers=time.monotonic() < begun + PATIENCE_SECONDS)
            time.sleep(0.005)

    def _is_left(self, trial: int | None) -> bool:
        if trial is None or not self._trials:
            return _has_children()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(trial, 0)
            return True
        return False


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _waited(options: int) -> tuple[int, int] | None:
    """Return an ended child and its exit code (negative: the signal), or None."""
    try:
        pid, status = os.waitpid(-1, options)
    except ChildProcessError:
        return None
    return (pid, os.waitstatus_to_exitcode(status)) if pid else None


def _become_trial(start: Start, events: int, parent: int) -> NoReturn:
    """Turn this process into the measured one; never returns."""
    code = 70  # EX_SOFTWARE: the harness's own fault
    try:
        _end_with(parent)
        _redirect(Path(start.log))
        # TensorFlow's autograph, and many loaders, leave files in the temporary folder.
        os.environ["TMPDIR"] = tempfile.tempdir = start.request.scratch
        from feedbench.bench.forkserver.tasks import perform

        perform(start.request, lambda event: _write_all(events, encode(event) + b"\n"), parent)
        code = 0
    except SystemExit as error:  # a loader that calls sys.exit()
        code = error.code if isinstance(error.code, int) else 1
    except BaseException as error:  # noqa: BLE001 - such as a full disk, which has the log too
        _report(error, events)
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        # Not sys.exit: exit handlers of a runtime or a loader may hang, and are not measured.
        os._exit(code)


def _report(error: BaseException, events: int) -> None:
    """Report an exception outside of a pipeline, and write its traceback to the log."""
    import traceback

    text = without_nodes(f"{type(error).__name__}: {error}")
    words = " ".join(text.split()).rstrip(":")
    words = without_controls(words).encode("utf-8", "backslashreplace").decode()
    sentence = f"its process failed with {words}"
    with contextlib.suppress(OSError):
        # What it wrote last may be half a line: end that line first.
        _write_all(events, b"\n" + encode(Failed(sentence=sentence)) + b"\n")
    with contextlib.suppress(OSError):
        traceback.print_exc()


def _perform_alone(events: int, parent: int, modules: tuple[str, ...]) -> NoReturn:
    """Perform a trial in a new interpreter; the command comes on standard input."""
    _end_with(parent)
    command = decode_command(sys.stdin.buffer.read())
    assert isinstance(command, Start)
    _preload(modules)
    _become_trial(command, events, parent)


def _redirect(log: Path) -> None:
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def _write_all(descriptor: int, line: bytes) -> None:
    while line:
        line = line[os.write(descriptor, line) :]


def _end_with(parent: int, signal_number: int = signal.SIGKILL) -> None:
    signal_at_parent_death(signal_number)
    if os.getppid() != parent:  # it died before the call above
        signal.raise_signal(signal_number)


def _vanish(scratch: Path) -> NoReturn:
    shutil.rmtree(scratch, ignore_errors=True)
    os._exit(1)
