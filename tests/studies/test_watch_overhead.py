"""What does `feedbench.watch` cost? Figures to read, recorded and never asserted upon.

CPU time is read as well as the clock's: other programs do not add to it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest

import feedbench

pytestmark = [pytest.mark.study, pytest.mark.tensorflow]

ROUNDS, BATCHES = 40, 500


def microseconds(plain: Callable[[], object], watched: Callable[[], object]) -> str:
    """The cost of a batch: medians of the differences of rounds in turn."""
    clocks, cpu, base = [], [], []
    for _ in range(ROUNDS):
        taken = []
        for each in (plain, watched):
            began = time.perf_counter(), time.process_time()
            each()
            taken.append((time.perf_counter() - began[0], time.process_time() - began[1]))
        clocks.append(taken[1][0] - taken[0][0])
        cpu.append(taken[1][1] - taken[0][1])
        base.append(taken[0][0])
    clock, processor, without = (
        1e6 * statistics.median(each) / BATCHES for each in (clocks, cpu, base)
    )
    return f"{clock:+.2f} us a batch, {processor:+.2f} us of CPU, to {without:.1f} us"


def test_the_cost_of_a_batch_in_a_loop_and_in_fit() -> None:
    import keras
    import tensorflow as tf

    batch = tf.zeros([32, 8, 8, 3]), tf.zeros([32, 1])
    dataset = tf.data.Dataset.from_tensors(batch).repeat(BATCHES)
    in_memory = [batch] * BATCHES
    for name, batches in (("a list", in_memory), ("a dataset", dataset)):
        watched = feedbench.watch(batches)
        cost = microseconds(lambda b=batches: [None for _ in b], lambda w=watched: [0 for _ in w])  # type: ignore[misc]
        print(f"a loop over {name}: {cost}")
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    callback = feedbench.WatchCallback()

    def fit(*callbacks: Any) -> None:
        model.fit(dataset, epochs=1, verbose=0, shuffle=False, callbacks=[*callbacks])

    fit()
    fit(callback)
    print(f"fit: {microseconds(fit, lambda: fit(callback))}")
