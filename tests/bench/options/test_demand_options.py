"""What --step, --appetite and their like take, and what they refuse in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.bench.options.demand_options import model_of
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.records.demand.demand import ModelRecord
from feedbench.bench.records.demand.published import PUBLISHED
from feedbench.pipelines.errors import RequestError


def model(**given: str | bool) -> ModelRecord | None:
    typed = {name.replace("_", "-"): text for name, text in given.items()}
    options = RunOptions.of(typed, Path("photos"))
    return model_of(options, options.batch_size)


def test_without_an_option_no_model_is_fed() -> None:
    assert model() is None


def test_a_step_is_a_batch_in_that_time() -> None:
    made = model(step="32ms")
    assert made is not None
    assert made.step_seconds == pytest.approx(0.032)
    assert made.appetite == pytest.approx(1000.0)
    assert model(step="0.032s") == made


def test_an_appetite_is_images_a_second() -> None:
    made = model(appetite="1600", batch_size="16")
    assert made is not None
    assert made.step_seconds == pytest.approx(0.01)
    assert made.published is None


def test_a_published_appetite_has_its_source() -> None:
    made = model(appetite="ResNet50@H100")
    assert made is not None
    assert made.appetite == pytest.approx(400 / 0.224)
    assert made.published is not None
    assert made.published.source.startswith("MLPerf Storage")
    assert "mlcommons/storage/blob/" in made.published.url


def test_every_published_appetite_can_be_asked_for() -> None:
    for published in PUBLISHED:
        made = model(appetite=published.name)
        assert made is not None
        assert made.published == published


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"step": "30"}, "--step '30': expected a time with its unit"),
        ({"step": "fast"}, "--step 'fast': expected a time with its unit"),
        ({"step": "0ms"}, "--step 0ms: expected more than 0 ms"),
        ({"step": "-5ms"}, "--step -5ms: expected more than 0 ms"),
        ({"step": "0.2ms"}, "expected 2 ms to 10 s"),
        ({"step": "60s"}, "expected 2 ms to 10 s"),
        ({"appetite": "0"}, "--appetite 0: expected more than 0 images a second"),
        ({"appetite": "-3"}, "--appetite -3: expected more than 0 images a second"),
        ({"appetite": "inf"}, "--appetite 'inf': expected images a second"),
        ({"appetite": "1000000"}, "--appetite 1000000: a step of 0.032 ms for 32 images"),
        ({"appetite": "0.01"}, "expected 2 ms to 10 s"),
        ({"step": "30ms", "appetite": "100"}, "--step and --appetite: expected one of them"),
        ({"step": "30ms", "model": "mnist_cnn"}, "--step and --model: expected one of them"),
        ({"model": "mnist_cn"}, "--model mnist_cn: there is no such network"),
        ({"model": "gone.keras"}, "--model gone.keras: there is no file gone.keras"),
        ({"cores_needed": True}, "--cores-needed: expected a model that may wait for its input"),
        ({"cost": "money"}, "--cost 'money': expected cpu, memory, disk or prepare"),
    ],
)
def test_what_cannot_be_emulated_is_refused(given: dict[str, str | bool], sentence: str) -> None:
    with pytest.raises(RequestError) as raised:
        model(**given)
    assert sentence in str(raised.value)


def test_a_typing_error_in_a_name_is_corrected() -> None:
    with pytest.raises(RequestError) as raised:
        model(appetite="resnet50@h10")
    assert raised.value.hint == "did you mean resnet50@h100?"
