"""The command that starts a module of Feedbench or of an installed package in a new Python."""

from __future__ import annotations

import sys


def command_of(module: str, *arguments: str, python: str = sys.executable) -> list[str]:
    """Return the command line of `python -m MODULE`.

    By -P, Python does not put the current folder before what is installed: a file queue.py there,
    as in an archive that was unpacked, would be imported in place of Python's.
    """
    return [python, "-P", "-m", module, *arguments]
