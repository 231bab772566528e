"""The machine and the software of a run, and the other environment of `--against`."""

from __future__ import annotations

import msgspec


class Environment(msgspec.Struct, frozen=True):
    """The machine and the software."""

    system: str
    processor: str
    cores: float  # that this process may use, by its affinity and its cgroup's quota
    cores_online: int
    memory_bytes: int
    python: str
    packages: dict[str, str]  # name: version


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """Another environment."""

    python: str  # its interpreter
    name: str  # of the environment's folder
    environment: Environment
    code: str  # a digest of its Feedbench
