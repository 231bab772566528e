"""Is a PyDataset as fast here as in `fit`? Figures to read, recorded and never asserted upon.

In turn, a few times: `fit` with a model that does next to nothing, and a trial of the harness, each
in a process of its own, over the same photos, with 1 and 4 workers.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.workload_file import read_workload, workload_of, write_workload
from feedbench.bench.records.messages import Request, Start
from feedbench.bench.records.windows import counted
from feedbench.pipelines import catalog
from feedbench.pipelines.images.index import index_folder
from tests.support.programs.processes import measured_of

pytestmark = [pytest.mark.study, pytest.mark.tensorflow]

SPECS = (
    "py_dataset",
    "py_dataset:workers=4",
    "py_dataset:workers=4,use_multiprocessing=true",
)
IMAGES = 250
PAIRS = 3
EPOCHS = 3  # of fit, after one that is left out


@pytest.mark.parametrize("spec", SPECS)
def test_the_rate_of_a_trial_beside_that_of_fit(spec: str, flowers: Path, tmp_path: Path) -> None:
    index, file = index_folder(flowers), tmp_path / "workload.json"
    count = len(index.files)
    workload = workload_of(index, folder_images=count, image_size=(224, 224), batch_size=32, seed=0)
    write_workload(workload, file)
    fitted, measured = [], []
    with Processes(tmp_path, tmp_path / "log") as processes:
        for _ in range(PAIRS):
            fitted.append(_in_own_process(spec, file))
            measured.append(trial_rate(processes, spec, file, tmp_path))
    ratio = statistics.median(measured) / statistics.median(fitted)
    print(f"\n{spec}: fit {_shown(fitted)}, harness {_shown(measured)}, ratio {ratio:.3f}")


def trial_rate(processes: Processes, spec: str, file: Path, scratch: Path) -> float:
    """Return images/s of a trial's windows, which are whole epochs."""
    request = Request(
        label=spec,
        spec=spec,
        purpose="main",
        workload=str(file),
        prepared=str(scratch),
        scratch=str(scratch),
    )
    outcome = processes.run(Start(request=request, log=str(scratch / "trial.log")), 170.0)
    windows = counted(measured_of(outcome).windows)
    return sum(window.images for window in windows) / sum(window.seconds for window in windows)


def fit_rate(spec: str, file: Path) -> float:
    """Return images/s of Keras' own `fit`, over its epochs but the first."""
    import keras

    workload = read_workload(file)
    dataset: Any = catalog.load(catalog.parse(spec)).open(workload, file.parent, file.parent)
    begun: list[float] = []

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            begun.append(time.perf_counter())

    layers = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(len(workload.class_names))]
    model = keras.Sequential([keras.Input((workload.height, workload.width, 3)), *layers])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(dataset, epochs=EPOCHS + 2, verbose=0, callbacks=[Clock()])
    return EPOCHS * workload.images / (begun[-1] - begun[1])


def _in_own_process(spec: str, file: Path) -> float:
    words = [sys.executable, "-m", "tests.studies.test_py_dataset_rate", spec, str(file)]
    root = Path(__file__).parents[2]
    done = subprocess.run(words, cwd=root, capture_output=True, check=True)
    return float(json.loads(done.stdout))


def _shown(rates: list[float]) -> str:
    each = ", ".join(f"{rate:.1f}" for rate in rates)
    return f"{statistics.median(rates):.1f} images/s ({each})"


if __name__ == "__main__":
    print(json.dumps(fit_rate(sys.argv[1], Path(sys.argv[2]))))
