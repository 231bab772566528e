"""The code of a pipeline, and the constants at its top."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from feedbench.bench.records.row import Row
from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.contract import Workload
from feedbench.reports.code.training_code import training_code


def code_of(spec: str, workload: Workload, *left_out: str, **given: Any) -> str:
    """The code of a pipeline with the knobs of its SPEC, as a run keeps them."""
    in_effect = knobs.values(catalog.load(catalog.parse(spec)))
    row = Row(label="a label", spec=spec, blocks=1, knobs=in_effect)
    found = training_code(row, workload, left_out, **given)
    assert found is not None
    return found


Batches = list[tuple[Any, Any]]
"""Images and labels of each batch of an epoch."""


def saved_epochs(text: str, folder: Path) -> list[Batches]:
    """Two epochs of code that saves them as 0.npz and 1.npz.

    It runs as the script of somebody who has no Feedbench on the path.
    """
    script = folder / "train.py"
    script.write_text(text, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, script], cwd=folder, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    epochs = []
    for epoch in range(2):
        with np.load(folder / f"{epoch}.npz") as saved:
            parts = [saved[name] for name in saved.files]
        epochs.append(list(zip(parts[::2], parts[1::2], strict=True)))
    return epochs


def constants(text: str) -> dict[str, Any]:
    """What the code's constants hold, without running it."""
    return {
        line.targets[0].id: ast.literal_eval(line.value)
        for line in ast.parse(text).body
        if isinstance(line, ast.Assign)
        and isinstance(line.targets[0], ast.Name)
        and re.fullmatch("[A-Z_]+", line.targets[0].id)
        and not isinstance(line.value, ast.Call | ast.JoinedStr)
    }


def feeding(text: str) -> str:
    """The code up to the model, which `fit` would train at once."""
    feeds, model, _ = text.partition("\nmodel = ")
    assert model
    return feeds
