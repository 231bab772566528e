"""Limiting a process to cores."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import os, sys, threading
from feedbench.pipelines.system.affinity import pin

def cores(name, found, ready, go):
    ready.set()
    go.wait()
    found[name] = sorted(os.sched_getaffinity(0))

found, ready, go = {}, threading.Event(), threading.Event()
before = threading.Thread(target=cores, args=("before", found, ready, go))
before.start()
ready.wait()
pin({int(sys.argv[1])})
go.set()
after = threading.Thread(target=cores, args=("after", found, ready, go))
after.start()
before.join(), after.join()
print(found["before"], found["after"], sorted(os.sched_getaffinity(0)))
"""


def test_a_process_is_limited_with_threads_that_began_before_and_begin_later() -> None:
    core = max(os.sched_getaffinity(0))
    command = [sys.executable, "-c", SCRIPT, str(core)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split("\n")[0] == f"[{core}] [{core}] [{core}]"
