"""What this Feedbench is, for another one that asks: `python -m feedbench.bench.about`.

The name and the keys stay as they are: a Feedbench of another version asks for them.
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
