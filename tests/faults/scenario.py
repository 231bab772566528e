"""The language of faults. A scenario is a few lines: when, and what happens to whom.

    block 2 + 0.3: kill trial        0.3 s after the second block has begun
    pilot: fill disk                 as soon as the first pilot has begun
    block 1: stop forkserver for 2   for two seconds

A line that begins with # is a comment.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection
from dataclasses import dataclass

PHASES = ("start", "import", "preparing", "pilot", "prepare", "proof", "block", "report")
"""In order. Only a block has a number, from 1."""

FAULTS = (
    *("kill command", "kill forkserver", "kill trial"),
    *("end command", "interrupt command", "hang up command"),
    *("stop command", "stop forkserver", "stop trial"),
    *("fill disk", "freeze disk", "bound files", "bound memory", "seal folder"),
    *("delete photo", "grow photo", "cut photo", "swap photo", "pipe photo"),
    *("remove HOME", "step clock back", "step clock ahead"),
)
OF_DISK = frozenset(("fill disk", "freeze disk"))
OF_CLOCK = frozenset(("step clock back", "step clock ahead"))
LASTING = frozenset(("stop command", "stop forkserver", "stop trial", "freeze disk"))
"""These end after some seconds; without `for` after two."""

USUAL_SECONDS = 2.0
_LINE = re.compile(
    r"(?P<phase>[a-z]+)(?: (?P<block>[1-9]))?(?: \+ (?P<delay>\d+(?:\.\d+)?))?:"
    r" (?P<fault>[A-Za-z ]+?)(?: for (?P<seconds>\d+(?:\.\d+)?))?"
)


@dataclass(frozen=True)
class Line:
    """One fault: in which phase, how many seconds after its beginning, and for how long."""

    phase: str
    fault: str
    block: int = 0  # 0: the phase is no block
    delay: float = 0.0
    seconds: float = 0.0  # 0: it does not end by itself

    def __str__(self) -> str:
        when = f"{self.phase} {self.block}" if self.block else self.phase
        delay = f" + {self.delay:g}" if self.delay else ""
        lasting = f" for {self.seconds:g}" if self.seconds else ""
        return f"{when}{delay}: {self.fault}{lasting}"


Scenario = tuple[Line, ...]


def parse(text: str) -> Scenario:
    """Return the lines of a scenario. Raises ValueError for one that is wrong."""
    lines = (line.strip() for line in text.strip().splitlines())
    return tuple(_line(line) for line in lines if line and not line.startswith("#"))


def _line(text: str) -> Line:
    parts = _LINE.fullmatch(text)
    if parts is None:
        raise ValueError(f"expected WHEN: FAULT, such as 'block 2 + 0.3: kill trial'; got {text!r}")
    phase, fault, block = parts["phase"], parts["fault"], int(parts["block"] or 0)
    if phase not in PHASES or (phase == "block") != bool(block):
        raise ValueError(f"{text!r}: expected one of {PHASES}, and a number after block only")
    if fault not in FAULTS:
        raise ValueError(f"{text!r}: expected one of {FAULTS}")
    if parts["seconds"] and fault not in LASTING:
        raise ValueError(f"{text!r}: only {sorted(LASTING)} end by themselves")
    seconds = float(parts["seconds"] or USUAL_SECONDS) if fault in LASTING else 0.0
    return Line(phase, fault, block, float(parts["delay"] or 0.0), seconds)


_TRIALS = ("pilot", "prepare", "proof", "block")
_PLACES = {  # where a fault has somebody to hit
    "kill forkserver": ("import", "preparing", *_TRIALS),
    "stop forkserver": ("import", "preparing", *_TRIALS),
    "kill trial": _TRIALS,
    "stop trial": _TRIALS,
    "bound memory": _TRIALS,
    "seal folder": ("preparing", *_TRIALS, "report"),
    "remove HOME": ("start",),
}
_LONGEST_DELAY = {"start": 1.0, "import": 4.0, "preparing": 0.5, "report": 1.5}
_USUAL_DELAY = 0.8


def drawn(seed: int, *, blocks: int, possible: Collection[str] = FAULTS) -> Scenario:
    """Return the scenario of one or two faults that a seed gives, among the possible ones."""
    chance = random.Random(seed)
    faults = [fault for fault in FAULTS if fault in possible]
    count = 1 if chance.random() < 0.8 else 2
    lines = [_drawn_line(chance, chance.choice(faults), blocks) for _ in range(count)]
    return tuple(sorted(lines, key=lambda line: (PHASES.index(line.phase), line.block, line.delay)))


def _drawn_line(chance: random.Random, fault: str, blocks: int) -> Line:
    phase = chance.choice(_PLACES.get(fault, PHASES))
    delay = round(chance.uniform(0.0, _LONGEST_DELAY.get(phase, _USUAL_DELAY)), 2)
    return Line(
        phase,
        fault,
        chance.randint(1, blocks) if phase == "block" else 0,
        0.0 if fault == "remove HOME" else delay,
        chance.choice((0.5, 2.0, 4.0)) if fault in LASTING else 0.0,
    )
