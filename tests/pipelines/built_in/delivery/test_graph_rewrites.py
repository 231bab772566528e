"""What TensorFlow makes of the stages of a dataset."""

from typing import Any

import pytest

from tests.pipelines.built_in.delivery.delivering import Open

pytestmark = pytest.mark.tensorflow


def stages(dataset: Any) -> set[str]:
    """Return the stages that TensorFlow runs, its own rewrites included."""
    import tensorflow as tf

    iterator = iter(dataset)
    for _ in range(3):
        next(iterator)
    model = tf.data.experimental.get_model_proto(iterator)
    return {node.name for node in model.nodes.values()}


def added(names: set[str]) -> set[str]:
    """Return those of the stages that work in parallel or ahead."""
    words = ("Parallel", "MapAndBatch", "Prefetch")
    return {name for name in names if any(word in name for word in words)}


def test_without_rewrites_tensorflow_adds_no_parallel_stage_and_no_prefetch(
    opened: Open,
) -> None:
    as_written = opened("tfdata_naive:graph_rewrites=off")
    for dataset in (as_written, as_written.repeat()):
        assert any("Map" in name for name in stages(dataset))
        assert not added(stages(dataset))
    rewritten = opened("tfdata_naive")
    for dataset in (rewritten, rewritten.repeat()):
        assert added(stages(dataset))


def test_without_rewrites_the_stages_that_were_asked_for_remain(opened: Open) -> None:
    import tensorflow as tf

    fixed = opened("tfdata_naive:graph_rewrites=off,parallel_calls=2,prefetch=1")
    options = tf.data.Options()
    options.autotune.enabled = True  # only AUTOTUNE's model lists the stages
    names = " ".join(stages(fixed.with_options(options)))
    assert "ParallelMap" in names
    assert "Prefetch" in names


@pytest.mark.parametrize("rewrites", ["default", "off"])
@pytest.mark.parametrize("deterministic", ["true", "false"])
def test_tensorflow_is_told_whether_the_order_matters(
    opened: Open, deterministic: str, rewrites: str
) -> None:
    spec = f"tfdata_naive:deterministic={deterministic},graph_rewrites={rewrites}"
    assert opened(spec).options().deterministic is (deterministic == "true")


@pytest.mark.parametrize(
    ("knobs", "is_off"),
    [
        ("parallel_calls=2,prefetch=1", True),
        ("parallel_calls=2", False),
        ("prefetch=1", False),
        ("parallel_calls=none,prefetch=none", False),
    ],
)
@pytest.mark.parametrize("name", ["tfdata_tuned", "tfrecord_sharded"])
def test_autotune_is_off_where_it_has_nothing_to_choose(
    opened: Open, name: str, knobs: str, *, is_off: bool
) -> None:
    enabled = opened(f"{name}:{knobs}").options().autotune.enabled
    assert (enabled is False) is is_off
