"""What one process trains, as a file for it. No TensorFlow."""

from __future__ import annotations

from pathlib import Path

import msgspec

from feedbench.bench.files import write_whole
from feedbench.pipelines.networks.spec import ModelSpec, parse_model


class TrainingTask(msgspec.Struct, frozen=True, kw_only=True):
    """A model, how long it is trained, and where the results go."""

    model: str  # as --model names it
    weights: str = ""  # as --weights names it
    seed: int
    epochs: int
    stop_at_nan: bool = False
    validation: str = ""  # the file of the validation workload; "": there is none
    validation_prepared: str = ""  # the folder of its prepared files
    validation_folder: str = ""  # of exactly its images, to be walked; "": the workload's own
    saved: str = ""  # where the best model goes, a .keras file; "": nowhere
    events: str = ""  # the folder of TensorBoard's event files; "": none are written

    def write(self, file: Path) -> None:
        """Write it for the process that trains."""
        write_whole(file, msgspec.json.encode(self))

    @property
    def spec(self) -> ModelSpec:
        """The model. Raises RequestError if a file of it is gone."""
        return parse_model(self.model, self.weights)

    @classmethod
    def read(cls, file: Path) -> TrainingTask:
        """Read what `write` wrote."""
        return msgspec.json.decode(file.read_bytes(), type=cls)
