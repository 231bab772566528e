"""Names and texts as the code to paste has them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from feedbench.pipelines.contract import Workload

_WIDTH = 100  # columns


def base_of(workload: Workload) -> str:
    """Return the folder's name as a file name that is easy to type."""
    return re.sub(r"[^\w-]+", "_", Path(workload.folder).name) or "images"


def digest_of(*parts: object) -> str:
    """Return a few letters that other parts do not have."""
    return hashlib.sha256(ascii(parts).encode()).hexdigest()[:8]


def names_of(left_out: Collection[str]) -> Iterator[str]:
    r"""Yield the names, and for an id with \xNN also the name with that undecodable byte."""
    for name in left_out:
        yield name
        # As os.fsdecode represents such a byte (PEP 383).
        yield re.sub(r"\\x([89a-f][0-9a-f])", lambda byte: chr(0xDC00 + int(byte[1], 16)), name)


def is_undecodable(name: str) -> bool:
    """Whether a name is not valid UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return True
    return False


def quoted(text: str) -> str:
    """Return a text as Python source, quoted as ruff does, with unprintable letters escaped."""
    source = repr(text)
    return source if '"' in text else f'"{source[1:-1]}"'


def assignment(name: str, texts: Sequence[str], brackets: str) -> str:
    """Return `name = [...]`, over as many lines as needed."""
    literals = [quoted(text) for text in texts]
    line = f"{name} = {brackets[0]}{', '.join(literals)}{brackets[1]}"
    if len(line) <= _WIDTH:
        return line
    lines = [f"{name} = {brackets[0]}"]
    row = ""
    for literal in literals:
        if row and len(f"    {row} {literal},") > _WIDTH:
            lines.append(f"    {row}")
            row = ""
        row += f" {literal}," if row else f"{literal},"
    return "\n".join([*lines, f"    {row}", brackets[1]])
