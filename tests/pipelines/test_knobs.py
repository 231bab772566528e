from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.pipelines import catalog
from feedbench.pipelines.built_in.image_data_generator import ImageDataGenerator
from feedbench.pipelines.built_in.tfdata_naive import TfdataNaive
from feedbench.pipelines.built_in.tfdata_tuned import TfdataTuned
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.knobs import as_text, build, knobs_of, values

TFDATA = (TfdataNaive, TfdataTuned)
TAIL = (
    *("parallel_calls", "cache", "cache_at", "shuffle", "deterministic", "prefetch", "dct"),
    *("augment", "augment_in", "decode"),
)

calls = st.integers(1, 1024) | st.sampled_from(["autotune", "none"])
tuned = st.builds(
    TfdataTuned,
    parallel_calls=calls,
    cache=st.sampled_from(["none", "memory", "file"]),
    cache_at=st.sampled_from(["encoded", "decoded", "delivered", "batched"]),
    shuffle=st.integers(1, 100_000_000) | st.sampled_from(["full", "batches", "none"]),
    deterministic=st.booleans(),
    prefetch=calls,
    dct=st.sampled_from(["integer_accurate", "integer_fast"]),
    augment=st.sampled_from(["image", "batch"]),
    augment_in=st.sampled_from(["pipeline", "model"]),
    decode=st.sampled_from(["full", "scaled"]),
)


def defaults(pipeline: type[Any]) -> dict[str, str]:
    return {knob.name: knob.default for knob in knobs_of(pipeline)}


@pytest.mark.parametrize("pipeline", TFDATA)
def test_every_tfdata_pipeline_begins_with_the_same_ten_knobs_of_the_same_values(
    pipeline: type[Any],
) -> None:
    tail = knobs_of(pipeline)[:10]
    assert tuple(knob.name for knob in tail) == TAIL
    assert {knob.name: (knob.accepts, knob.meaning) for knob in tail} == {
        knob.name: (knob.accepts, knob.meaning) for knob in knobs_of(TfdataTuned)
    }


def test_the_knobs_beside_the_tail_are_the_rewrites_and_the_interpolation() -> None:
    assert [knob.name for knob in knobs_of(TfdataTuned)] == [*TAIL]
    assert [knob.name for knob in knobs_of(TfdataNaive)] == [*TAIL, "graph_rewrites"]
    assert [knob.name for knob in knobs_of(ImageDataGenerator)] == ["interpolation"]


def test_the_tuned_pipeline_leaves_it_to_autotune_and_caches_in_memory() -> None:
    assert defaults(TfdataTuned) == {
        "parallel_calls": "autotune",
        "cache": "memory",
        "cache_at": "delivered",
        "shuffle": "full",
        "deterministic": "true",
        "prefetch": "autotune",
        "dct": "integer_accurate",
        "augment": "batch",
        "augment_in": "pipeline",
        "decode": "full",
    }


def test_the_naive_pipeline_differs_from_the_tuned_one_in_calls_cache_and_prefetch_only() -> None:
    differing = defaults(TfdataNaive).items() - defaults(TfdataTuned).items()
    assert differing == {
        ("parallel_calls", "none"),
        ("cache", "none"),
        ("prefetch", "none"),
        ("graph_rewrites", "default"),
    }


def test_keras_resizes_as_tfdata_does_unless_told_otherwise() -> None:
    assert defaults(ImageDataGenerator) == {"interpolation": "bilinear"}


def test_what_a_knob_accepts_can_be_read_in_words() -> None:
    accepted = {
        knob.name: knob.accepts
        for pipeline in (TfdataNaive, ImageDataGenerator)
        for knob in knobs_of(pipeline)
    }
    assert accepted == {
        "parallel_calls": "a whole number from 1 to 1024, autotune or none",
        "cache": "file, memory or none",
        "cache_at": "batched, decoded, delivered or encoded",
        "shuffle": "a whole number from 1 to 100000000, batches, full or none",
        "deterministic": "true or false",
        "prefetch": "a whole number from 1 to 1024, autotune or none",
        "dct": "integer_accurate or integer_fast",
        "augment": "batch or image",
        "augment_in": "model or pipeline",
        "decode": "full or scaled",
        "graph_rewrites": "default or off",
        "interpolation": "bilinear or nearest",
    }


@pytest.mark.parametrize("name", [*catalog.BUILT_IN, *catalog.PEERS])
def test_every_knob_says_what_it_means_and_defaults_to_what_it_accepts(name: str) -> None:
    pipeline = catalog.built_in(name)
    for knob in knobs_of(pipeline):
        assert knob.meaning
        assert build(pipeline, name, {knob.name: knob.default}) == pipeline()


@given(calls)
def test_every_accepted_number_of_parallel_calls_comes_back_as_it_was_written(
    number: int | str,
) -> None:
    built = build(TfdataTuned, "tfdata_tuned", {"parallel_calls": as_text(number)})
    assert built.parallel_calls == number
    assert type(built.parallel_calls) is type(number)


@given(st.integers(max_value=0) | st.integers(min_value=1025))
def test_no_other_number_of_parallel_calls_is_accepted(number: int) -> None:
    with pytest.raises(RequestError, match="parallel_calls expects a whole number from 1"):
        build(TfdataTuned, "tfdata_tuned", {"parallel_calls": as_text(number)})


@given(tuned)
def test_a_pipeline_can_be_built_again_from_its_knobs_as_text(pipeline: TfdataTuned) -> None:
    written = {knob: as_text(value) for knob, value in values(pipeline).items()}
    assert build(TfdataTuned, "tfdata_tuned", written) == pipeline


def test_true_and_false_become_truth_values() -> None:
    for text, value in {"true": True, "false": False}.items():
        assert build(TfdataNaive, "tfdata_naive", {"deterministic": text}).deterministic is value
        assert as_text(value) == text


def test_none_is_a_word_among_others_and_not_the_absence_of_a_value() -> None:
    built = build(TfdataTuned, "tfdata_tuned", {"cache": "none", "parallel_calls": "none"})
    assert (built.cache, built.parallel_calls) == ("none", "none")


def test_the_values_of_something_that_is_no_dataclass_are_none_at_all() -> None:
    assert values(object()) == {}
    assert values(TfdataTuned) == {}
