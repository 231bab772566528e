"""Describes this Feedbench to another one: `python -m feedbench.bench.about`.

The module's name and the keys must not change: other versions of Feedbench rely on them.
"""

from __future__ import annotations

import sys

import msgspec

from feedbench.bench.machine import environment, software
from feedbench.bench.records import messages

if __name__ == "__main__":
    about = {
        "protocol": messages.SCHEMA,
        "environment": environment.describe(),
        "code": software.code(),
    }
    sys.stdout.buffer.write(msgspec.json.encode(about))
