"""How to cite a run: the version, the machine and the date. Pure."""

from __future__ import annotations

from datetime import datetime

from feedbench.bench.records.run import RunRecord
from feedbench.bench.text import counted, listed, size


def citation(run: RunRecord) -> str:
    """Return the sentences to cite a run's figures with, as in a paper."""
    machine = run.environment
    versions = {"Feedbench": "feedbench", "TensorFlow": "tensorflow"}
    software = [
        f"{name} {machine.packages[package]}"
        for name, package in versions.items()
        if package in machine.packages
    ]
    if not machine.packages.get("feedbench"):
        software.insert(0, "Feedbench (version not known)")
    cores = f"{machine.cores:g} of {counted(machine.cores_online, 'core')}"
    return (
        f"Measured with {listed([*software, f'Python {machine.python}'])} on {_date(run)}."
        f" The machine: {machine.processor}, {cores}, {size(machine.memory_bytes)} of memory,"
        f" {machine.system}."
    )


def _date(run: RunRecord) -> str:
    try:
        moment = datetime.fromisoformat(run.started_at)
    except ValueError:
        return run.started_at
    return f"{moment.day} {moment:%B %Y}"
