"""The page of trainings: curves, tables, and code that loads the saved model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from feedbench.bench.training.likeness import likeness_of
from feedbench.reports.charts import training as charts
from feedbench.reports.code.saved_model import code
from feedbench.reports.html import training_page
from tests.support.builders import HOSTILE, SCRIPT
from tests.support.runs.trainings import a_record, a_training, an_epoch, compared


@pytest.mark.thorough
def test_the_page_has_a_chart_of_accuracy_and_of_loss_for_each_pipeline() -> None:
    page = training_page.render(compared("tuned", "naive", "gzip"))
    for name in ("accuracy", "loss"):
        for place, label in enumerate(("tuned", "naive", "gzip")):
            title = f'<title id="{name}-{place}-title">{name.capitalize()} of {label} by epoch<'
            assert title in page
    assert "after 3 epochs: training 50.0%, validation 60.0%" in page


@pytest.mark.thorough
def test_its_heading_answers_whether_they_train_alike() -> None:
    page = training_page.render(compared("tuned", "naive"))
    assert (
        "<h1>The pipelines train alike: final validation accuracy is 60.0% for each.</h1>" in page
    )
    other = a_record(a_training("tuned", [0.9]), a_training("naive", [0.1]), validation_images=900)
    page = training_page.render(replace(other, likeness=likeness_of(other)))
    assert re.search(r"<h1>naive trains worse than tuned: 10.0% instead of 90.0%\.</h1>", page)


def test_all_panels_share_one_scale() -> None:
    low = a_training("low", [0.1, 0.2])
    high = a_training("high", [0.8, 0.9])
    panels = charts.accuracies(a_record(low, high))
    ticks = [re.findall(r">(\d+)</text>", panel) for panel in panels.values()]
    assert ticks[0] == ticks[1]
    assert {"20", "80"} <= {*ticks[0]}


def test_a_loss_that_is_not_a_number_leaves_a_gap() -> None:
    epochs = [an_epoch(n, val_loss=None if n == 2 else 1.0, loss=None) for n in (1, 2, 3)]
    panels = charts.losses(a_record(a_training("a", (), epochs=epochs)))
    assert "NaN" not in panels["a"]
    assert "nan" not in panels["a"]
    assert not charts.losses(
        a_record(a_training("a", (), epochs=[an_epoch(loss=None, val_loss=None)]))
    )


def test_a_training_that_failed_at_once_has_no_chart_but_a_row_and_its_reason() -> None:
    failed = a_training("mine", (), status="failed", why="it raised ValueError: no", model="")
    page = training_page.render(a_record(a_training("tuned", [0.5]), failed))
    assert "mine: failed, it raised ValueError: no." in page
    assert "0, failed" in page
    assert "Accuracy of mine" not in page


@pytest.mark.thorough
def test_a_record_without_any_epoch_is_a_page_too() -> None:
    page = training_page.render(a_record(a_training("a", (), status="failed", why="no", model="")))
    assert "No epoch was completed." in page
    assert training_page.render(a_record())


@pytest.mark.thorough
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_harmless(name: str) -> None:
    record = compared(name, "tuned")
    work = replace(record.workload, classes={name: 3, "b": 2}, folder=f"/photos/{name}")
    page = training_page.render(replace(record, workload=work))
    assert SCRIPT not in page
    assert page.count("<script>") == 1
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page


@pytest.mark.thorough
def test_a_training_that_was_interrupted_says_so() -> None:
    page = training_page.render(a_record(a_training("a", [0.5]), status="interrupted"))
    assert "This training was not completed." in page


@dataclass
class FakeModel:
    """Takes what a model takes, and keeps it."""

    scores: list[float]
    images: Any = None

    def predict(self, images: Any) -> Any:
        self.images = images
        return np.asarray([self.scores])


@pytest.mark.thorough
@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("given", "shape", "first"),
    [
        ({}, (1, 40, 60, 3), [1.0, 0.0, 0.0]),
        ({"value_range": (-1.0, 1.0)}, (1, 40, 60, 3), [1.0, -1.0, -1.0]),
        ({"value_range": (0.0, 255.0), "dtype": "uint8"}, (1, 40, 60, 3), [255, 0, 0]),
        ({"normalization": "caffe"}, (1, 40, 60, 3), [-103.939, -116.779, 255 - 123.68]),
        ({"data_format": "channels_first"}, (1, 3, 40, 60), [1.0, 0.0, 0.0]),
        ({"channels": 1}, (1, 40, 60, 1), [76 / 255]),
    ],
)
def test_the_code_gives_the_model_images_in_the_form_of_the_training(
    given: dict[str, Any],
    shape: tuple[int, ...],
    first: list[float],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import keras

    fields = {"height": 40, "width": 60, "classes": {"cats": 1, "dogs": 1}, "fit": "stretch"}
    work = replace(a_record().workload, **fields | given)
    Image.new("RGB", (80, 80), (255, 0, 0)).save(tmp_path / "photo.jpg", quality=100, subsampling=0)
    model = FakeModel([0.1, 0.9])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(keras.models, "load_model", lambda _: model)
    exec(code(work, "models/a.keras"), {})
    assert model.images.shape == shape
    assert str(model.images.dtype) == work.dtype
    channels = (
        model.images[0, :, 20, 20]
        if work.data_format == "channels_first"
        else model.images[0, 20, 20]
    )
    assert np.allclose(channels.astype(float), first, atol=0.02 * max(1, *map(abs, first)))
    assert capsys.readouterr().out.startswith("dogs ")
