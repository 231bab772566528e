"""AUTOTUNE's choices, read from the iterator itself. Imports TensorFlow; for trials only."""

from __future__ import annotations

import sys
from typing import Any

from feedbench.bench.records.diagnosis import Autotune, Choice
from feedbench.pipelines.built_in.autotune import untuned


def chosen_by(iterator: Any) -> Autotune | None:
    """Return AUTOTUNE's budgets and choices; None if it has none or is not a tf.data iterator."""
    if "tensorflow" not in sys.modules:  # no dataset without it, and it takes seconds to import
        return None
    import tensorflow as tf

    try:
        model = tf.data.experimental.get_model_proto(iterator)
        budgets = model.optimization_params
        return Autotune(
            cpu_budget=budgets.cpu_budget,
            ram_budget=budgets.ram_budget,
            choices=[choice_of(node) for _, node in sorted(model.nodes.items())],
        )
    except Exception:  # noqa: BLE001 - a trial that was measured must not fail for it
        return None


def choice_of(node: Any) -> Choice:
    """Return AUTOTUNE's choice for a stage of the model."""
    # state_value is the value that the stage uses, and value the one that the model proposes. A
    # value that the user fixed is not a choice, and a stage that has not begun has -1.
    parameters = {p.name: p for p in node.parameters if p.tunable and p.state_value >= 0}
    parallelism, buffer = parameters.get("parallelism"), parameters.get("buffer_size")
    return Choice(
        stage=node.name,
        parallelism=None if parallelism is None else int(parallelism.state_value),
        most_parallelism=None if parallelism is None else int(parallelism.max),
        buffer=None if buffer is None else int(buffer.state_value),
        ms=node.processing_time / 1e6 / max(node.num_elements, 1),
    )


def is_tf_data(iterator: Any) -> bool:
    """Return whether a dataset's own iterator delivers, without Python code around it."""
    from tensorflow.python.data.ops.iterator_ops import OwnedIterator

    return isinstance(iterator, OwnedIterator)


def without(feed: Any) -> Any:
    """Return a dataset with AUTOTUNE switched off; any other feed unchanged."""
    import tensorflow as tf

    if not isinstance(feed, tf.data.Dataset):
        return feed
    return untuned(feed)
