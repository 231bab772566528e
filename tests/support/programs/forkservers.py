"""Forkservers that misbehave: small programs without TensorFlow, at the ends of real pipes."""

from __future__ import annotations

import sys
from pathlib import Path

_HEAD = """#!{python} -IS
import json, os, signal, subprocess, sys, time

def say(event, **fields):
    os.write(1, json.dumps({{"event": event, **fields}}).encode() + b"\\n")

def ready():
    say("ready", tensorflow="2", keras="3", seconds=0.0)

def trial():
    process = subprocess.Popen(["sleep", "60"], process_group=0, stdin=-3, stdout=-3)
    with open({pids!r}, "a") as file:
        file.write(f"{{process.pid}}\\n")
    say("started", pid=process.pid)
    return process

def command():
    return os.read(0, 1 << 16)

def stop():
    os.kill(os.getpid(), signal.SIGSTOP)

"""

SILENT_AT_IMPORT = "time.sleep(60)"
STOPPED_AT_IMPORT = "stop()"
KILLED_AT_IMPORT = "print('no such module', file=sys.stderr, flush=True); os.kill(os.getpid(), 9)"
CLOSED_AT_IMPORT = "os.close(1); time.sleep(60)"
GARBLED_AT_IMPORT = "while True: os.write(1, b'x' * 4096)"

SILENT_AT_START = "ready(); time.sleep(60)"
STOPPED_AT_START = "ready(); command(); stop()"
STOPPED_AT_END = "ready(); command(); trial(); stop()"
DEAF_AT_END = "ready(); command(); trial(); time.sleep(60)"
KILLED_IN_TRIAL = "ready(); command(); trial(); os.kill(os.getpid(), 9)"
CLOSED_IN_TRIAL = "ready(); command(); trial(); os.close(1); time.sleep(60)"
TALKATIVE = "ready(); command(); trial()\nwhile True: say('counted', images=1)"
GARBLED = "ready(); command(); trial()\nwhile True: os.write(1, b'x' * 4096)"
STOPPED_AFTER_RESULT = "ready(); command(); trial(); say('collected', images=3); stop()"


def write_forkserver(folder: Path, way: str, pids: Path) -> str:
    """Write the program; it is given where a Python is expected, and ignores its words."""
    file = folder / "python"
    file.write_text(_HEAD.format(python=sys.executable, pids=str(pids)) + way + "\n")
    file.chmod(0o755)
    return str(file)
