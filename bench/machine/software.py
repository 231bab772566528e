"""The software that decides what is delivered and how it is judged: versions, and our code."""

from __future__ import annotations

import contextlib
import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("tensorflow", "keras", "pillow", "numpy", "scipy", "pandas")


@cache
def software() -> dict[str, str]:
    """Return the packages' versions, and a digest of Feedbench's own code as `feedbench`."""
    versions = {}
    for name in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions | {"feedbench": code()}


@cache
def code() -> str:
    """Return a digest of the code of bench and pipelines, in hexadecimal."""
    digest = hashlib.sha256()
    rooms = Path(__file__).parents[2]
    for file in sorted([*rooms.glob("bench/**/*.py"), *rooms.glob("pipelines/**/*.py")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()
