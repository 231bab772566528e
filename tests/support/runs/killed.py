"""A run that was killed in its third block, for the tests of what may come after that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from feedbench.bench.machine import environment
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.workload_file import read_workload, workload_of, write_workload
from feedbench.bench.records.storage import append_trial, read_run, write_run
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.resuming import basis, trust
from feedbench.pipelines.forms import Fit
from feedbench.pipelines.images.index import index_folder
from tests.support import builders
from tests.support.builders import a_row, a_run
from tests.support.pipelines import loaders

STARTED = "2026-01-01T00:00:00+00:00"


def a_trial(block: int, label: str = "mine", **given: Any) -> TrialRecord:
    fields: dict[str, Any] = {
        "label": label,
        "spec": "loader.py:photos",
        "purpose": "main" if block else "pilot",
        "block": block,
        "started_at": "2026-01-01T00:01:00.000+00:00",
        "seconds": 2.0,
        "ended": "measured",
    }
    return builders.a_record(**fields | given)


class Killed:
    """A run of one pipeline of somebody's that was killed in its third block."""

    def __init__(self, folder: Path, photos: Path) -> None:
        self.folder = folder / "R"
        self.photos = photos
        self.loader = loaders.write_loader(folder, loaders.GOOD)
        self.folder.mkdir()
        index = index_folder(photos)
        workload = workload_of(
            index, folder_images=len(index.files), image_size=(32, 32), batch_size=8, seed=3
        )
        self.options = RunOptions(
            folder=photos,
            specs=(f"mine={self.loader}:photos",),
            image_size=(32, 32),
            fit=Fit("crop", 0.875),
            blocks=5,
            out=self.folder,
            prepared=folder / "prepared",
        )
        write_workload(workload, self.folder / "images.json")
        self.write(self.options)
        write_run(
            self.folder,
            a_run(
                a_row("mine"),
                status="running",
                blocks=2,
                seconds=40.0,
                environment=environment.describe(),
                started_at=STARTED,
            ),
        )
        for block in (0, 1, 2, 3):
            append_trial(self.folder, a_trial(block))
        with (self.folder / "trials.jsonl").open("ab") as file:
            file.write(b'{"schema":1,"label":"mi')  # it was killed while it wrote

    def write(self, options: RunOptions) -> None:
        basis.write(self.folder, options, read_workload(self.folder / "images.json"), None)

    def change_software(self, **versions: str) -> None:
        file = self.folder / "resume.json"
        content = json.loads(file.read_text())
        content["software"] |= versions
        del content["signature"]
        content["signature"] = trust.signature(content)
        file.write_text(json.dumps(content))

    def change_run(self, **given: Any) -> None:
        write_run(self.folder, replace(read_run(self.folder), **given))
