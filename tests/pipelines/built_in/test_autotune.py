"""Without AUTOTUNE, the end of an iterator waits for nothing."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.tensorflow
@pytest.mark.thorough
def test_other_options_stay_and_its_elements_too() -> None:
    import tensorflow as tf

    from feedbench.pipelines.built_in.autotune import untuned

    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    dataset: Any = tf.data.Dataset.range(5).with_options(options)
    quick: Any = untuned(dataset)
    assert quick.options().autotune.enabled is False
    assert quick.options().threading.private_threadpool_size == 1
    assert list(quick.as_numpy_iterator()) == [0, 1, 2, 3, 4]
