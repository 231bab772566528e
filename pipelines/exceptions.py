"""What a user reads of an exception: its type, its message, and the line of the user's code.

Some libraries put a traceback into a message as text: TensorFlow for a generator or a py_function,
AutoGraph for a function given to `map`, PyTorch and multiprocessing for a worker process.
"""

from __future__ import annotations

import os
import re
import sysconfig
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FRAME = re.compile(
    r'^(?P<indent>[ \t]*)File "(?P<file>[^"\n]+)", line (?P<line>\d+)', re.MULTILINE
)
_KIND = re.compile(r"(?:\w+\.)*(?P<kind>[A-Z]\w*)(?::\s*(?P<message>.*))?", re.DOTALL)
# What TensorFlow adds to a message: names of nodes, operations, iterators and devices, and the same
# error again for each of several nodes. And addresses.
_NODES = re.compile(
    r"Graph execution error:\s*"
    r"|Detected at node \S+ defined at \(most recent call last\):\s*"
    r"|^Node: '\S+'\s*"
    r"|<stack traces unavailable>\s*"
    r"|\d+ root error\(s\) found\.\s*\(0\) (?:[A-Z_]+:\s*)?"
    r"|\n\s*\(1\) [A-Z_]+:.*?(?=\s\d+ successful operations|\Z)"
    r"|\s*\d+ successful operations\.\s*\d+ derived errors ignored\."
    r"|\n\s*\[\[[A-Za-z][\w./:]*\]\]"
    r"|/job:\w+/replica:\d+/task:\d+/device:\w+:\d+\s*"
    r"|\{\{function_node .*?\}\}\s*"
    r"|\s*\[\[\{\{node [^}]*\}\}\]\]"
    r"|\{\{node [^}]*\}\}\s*"
    r"|\{\{\w*node [^}]*\}\}\s*"
    r"| at 0x[0-9a-fA-F]{6,}"
    r"|\x1b\[[\d;]*m"  # Keras makes parts of its messages bold
    r"|\s*\[Op:\w+\](?:\s+name:\s*\S*)?"
    r"|Error in user-defined function passed to \S+ transformation with iterator: \S+: ",
    re.DOTALL | re.MULTILINE,
)
_MOST_CHARACTERS = 400  # of a message
_PACKAGES = {"site-packages", "dist-packages"}
_FEEDBENCH = Path(__file__).resolve().parents[1]
_ROOMS = tuple(f"{_FEEDBENCH / room}{os.sep}" for room in ("pipelines", "bench", "reports"))
_LIBRARY = tuple(
    os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")
)


@dataclass(frozen=True)
class Raised:
    """An exception in words."""

    kind: str  # the name of its type
    message: str  # on one line, without tracebacks and TensorFlow's names of nodes
    place: str  # of the user's code, such as "loader.py, line 12"; "": not known

    def __str__(self) -> str:
        """Return all three: ValueError: too dark (loader.py, line 12)."""
        sentence = ": ".join(filter(None, [self.kind, self.message]))
        return f"{sentence} ({self.place})" if self.place else sentence


@dataclass(frozen=True)
class _Frame:
    file: str
    line: int


def raised(error: BaseException, source: Path | None) -> Raised:
    """Return an exception in words.

    `source` is the file of the user's pipeline. The place is the innermost frame in this file or
    its folder. If there is none, it is the innermost frame outside of Python, of installed packages
    and of Feedbench.
    """
    kind, message = _described(error)
    frame = _frame(error, source)
    return Raised(
        kind=kind,
        message=" ".join(message.split())[:_MOST_CHARACTERS],
        place="" if frame is None else f"{_short(frame.file)}, line {frame.line}",
    )


def without_nodes(text: str) -> str:
    """Return a text without TensorFlow's names of nodes, operations and iterators; no addresses."""
    return _NODES.sub("", text)


def _described(error: BaseException) -> tuple[str, str]:
    """Return the name of its type and its message; those of the inner exception if it has one."""
    kind = type(error).__name__
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return kind, error.msg
    text = str(error)
    inner = _KIND.fullmatch(_after_traceback(text))
    if inner is None:
        return kind, without_nodes(text)
    return inner["kind"], without_nodes(inner["message"] or "")


def _after_traceback(text: str) -> str:
    """Return what follows the last traceback in a text; "" if there is none."""
    frames = [*_FRAME.finditer(text)]
    if not frames:
        return ""
    last = frames[-1]
    indent = len(last["indent"])
    lines = text[last.end() :].split("\n")[1:]  # its own line ends with the function's name
    for place, line in enumerate(lines):
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            return "\n".join(lines[place:]).strip()
    return ""


def _frame(error: BaseException, source: Path | None) -> _Frame | None:
    """Return the innermost frame of the user's code."""
    levels = [frames[::-1] for frames in _levels(error)]
    for is_users in (_Own(source), _is_elsewhere):
        for frames in levels:
            for frame in frames:
                if is_users(frame.file):
                    return frame
    return None


def _levels(error: BaseException | None) -> Iterator[list[_Frame]]:
    """Yield the frames of an exception and of its causes, the innermost first.

    Each is a list with its last frame last. A traceback as text is from further inside.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield _frames_in(str(error))
        yield _frames_in(str(error.__cause__ or ""))
        frames = traceback.walk_tb(error.__traceback__)
        syntax = []
        if isinstance(error, SyntaxError) and error.filename and error.lineno is not None:
            syntax = [_Frame(error.filename, error.lineno)]
        yield [*(_Frame(frame.f_code.co_filename, line) for frame, line in frames), *syntax]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _frames_in(text: str) -> list[_Frame]:
    return [_Frame(found["file"], int(found["line"])) for found in _FRAME.finditer(text)]


class _Own:
    """Whether a file is the pipeline's, or in the folder of the pipeline's file."""

    def __init__(self, source: Path | None) -> None:
        self._file = "" if source is None else os.path.realpath(source)
        folder = os.path.dirname(self._file)  # noqa: PTH120
        # Installed packages share that folder.
        self._folder = "" if Path(folder).name in _PACKAGES else folder

    def __call__(self, file: str) -> bool:
        real = os.path.realpath(file)
        if self._file and real == self._file:
            return True
        if not self._folder or not Path(real).is_relative_to(self._folder):
            return False
        below = os.path.relpath(real, self._folder)
        return not _is_package(below) and not _is_library(file)


def _is_elsewhere(file: str) -> bool:
    """Whether a file is neither an installed package's nor Python's nor Feedbench's."""
    return not _is_package(file) and not _is_library(file)


def _is_package(path: str) -> bool:
    return not _PACKAGES.isdisjoint(Path(path).parts)


def _is_library(file: str) -> bool:
    """Whether it is a file of Python's library or of Feedbench, or code without a file."""
    if file.startswith("<") or "__autograph_generated_file" in file:
        return True
    real = os.path.realpath(file)
    return real.startswith(_ROOMS) or (real.startswith(_LIBRARY) and not _is_package(real))


def _short(file: str) -> str:
    """Return a path below the current folder as relative to it."""
    path = Path(os.path.realpath(file))
    here = Path(os.path.realpath(Path.cwd()))
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
