"""What `feedbench prepare` refuses, and the pipeline that its options stand for."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from feedbench.bench.options.commands.prepare_options import (
    PrepareOptions,
    options_of_preparation,
    words_of_images,
)
from feedbench.pipelines.catalog import load, parse
from feedbench.pipelines.errors import RequestError


def asked(*arguments: str, **given: str) -> PrepareOptions:
    return PrepareOptions.of(given, arguments)


@pytest.mark.parametrize(
    ("given", "spec"),
    [
        ({}, "tfrecord_sharded:store=encoded,shards=16"),
        ({"compression": "gzip"}, "tfrecord_sharded:store=encoded,compression=gzip,shards=16"),
        (
            {"store": "resized", "stored-format": "webp", "quality": "80", "stored-size": "99"},
            "tfrecord_sharded:store=resized,stored_size=99,stored_format=webp,quality=80,shards=16",
        ),
    ],
)
def test_the_options_are_knobs_of_the_pipeline_that_writes_the_same_records(
    given: dict[str, str], spec: str
) -> None:
    assert asked(**given).spec(16) == spec
    load(parse(spec))


def test_the_options_of_images_are_given_again_to_the_run_that_measures_the_records() -> None:
    given: dict[str, str | bool] = {"image-size": "180", "store": "raw", "follow-links": True}
    assert words_of_images(given) == ["--follow-links", "--image-size", "180"]
    assert words_of_images({"labels": None, "follow-links": False}) == []
    defaults = {option.name: option.default for option in options_of_preparation()}
    assert words_of_images({**defaults, "channels": "1"}) == ["--channels", "1"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"store": "rawest"}, r"--store 'rawest': expected encoded, resized or raw"),
        ({"shards": "0"}, r"--shards 0: expected 1 or more record files"),
        ({"quality": "80"}, r"--quality: expected --store resized as well"),
        ({"store": "raw", "stored-size": "99"}, r"--stored-size: expected --store resized"),
        ({"store": "resized", "stored-format": "gif"}, r"expected jpeg, webp, png or bmp"),
        ({"runner": "spark"}, r"--runner 'spark': expected local or beam"),
    ],
)
def test_a_wrong_option_is_refused_in_one_sentence(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        asked(**given)


def test_options_of_beam_need_the_runner_beam() -> None:
    with pytest.raises(RequestError, match=r"--runner=FlinkRunner: expected nothing after FOLDER"):
        asked("--runner=FlinkRunner")


def test_the_runner_beam_names_the_extra_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_beam(name: str, *rest: Any) -> Any:
        return None if name == "apache_beam" else find_spec(name, *rest)

    monkeypatch.setattr("feedbench.bench.options.commands.prepare_options.find_spec", without_beam)
    with pytest.raises(RequestError, match=r"it is not installed\nhint: pip install") as raised:
        asked(runner="beam")
    assert "feedbench[beam]" in raised.value.hint
