"""A loader that raises, from end to end: the line that a person reads, and its traceback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from feedbench.bench.records.storage import read_trials
from tests.support.programs.command import SMALL, Feedbench

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end, pytest.mark.thorough]

LOADING = """import numpy as np
import tensorflow as tf

from .files import content


def photos(workload):
    def decode(file, label):
        image = tf.io.decode_image(content(file), channels=3, expand_animations=False)
        return tf.image.resize(image, (workload.height, workload.width)) / 255, label

    samples = (list(workload.files), list(workload.labels))
    return tf.data.Dataset.from_tensor_slices(samples).map(decode).batch(workload.batch_size)


def traced(workload):
    return photos(workload).map(lambda images, labels: (images, labels + no_such_name))


def generated(workload):
    shape = (None, workload.height, workload.width, 3)
    signature = (tf.TensorSpec(shape, tf.float32), tf.TensorSpec(None, tf.int32))
    return tf.data.Dataset.from_generator(lambda: iter([look({})]), output_signature=signature)


def look(labels):
    return labels["cats"]
"""
FILES = """import tensorflow as tf


def content(file):
    return tf.py_function(read, [file], tf.string)


def read(file):
    raise ValueError("too dark\\nto see")
"""
DARK = r"it raised ValueError: too dark to see \(their_loaders/files.py, line 9\)"
TRACED = (
    r"it raised NameError: name 'no_such_name' is not defined \(their_loaders/loading.py, .* 17\)"
)
GENERATED = r"it raised KeyError: 'cats' \(their_loaders/loading.py, line 27\)"


@pytest.fixture
def feedbench(feedbench: Feedbench) -> Feedbench:
    folder = feedbench.folder / "their_loaders"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "loading.py").write_text(LOADING)
    (folder / "files.py").write_text(FILES)
    return feedbench


def test_a_run_names_the_users_line_and_the_log_that_holds_the_traceback(
    feedbench: Feedbench, photos: Path
) -> None:
    done = feedbench.run(
        *("run", photos, *SMALL, "--blocks", "1", "--out", "R", "-p", "tfdata_naive"),
        *("-p", "dark=their_loaders.loading:photos", "-p", "traced=their_loaders.loading:traced"),
    )
    assert done.returncode == 1, done.stderr
    assert "function_node" not in done.stderr + done.stdout
    whys = {each.label: each.why or "" for each in read_trials(feedbench.folder / "R")}
    for label, words in (("dark", DARK), ("traced", TRACED)):
        named = re.fullmatch(rf"{words}; its traceback is in (logs/\S+\.log)", whys[label])
        assert named, whys[label]
        log = (feedbench.folder / "R" / named[1]).read_text()
        assert "Traceback (most recent call last)" in log
    assert whys["tfdata_naive"] == ""


def test_verify_names_the_users_line_and_shows_the_traceback_with_debug(
    feedbench: Feedbench, photos: Path
) -> None:
    words = ("verify", photos, *SMALL, "-p", "gen=their_loaders.loading:generated", "--quiet")
    done = feedbench.run(*words)
    shown = " ".join(done.stdout.split())
    assert done.returncode == 1, done.stderr
    assert re.search(f"gen failed: {GENERATED}; add --debug to see its traceback", shown), shown
    assert "Traceback" not in done.stderr
    done = feedbench.run(*words, "--debug")
    assert done.stderr.startswith("gen: Traceback (most recent call last):")
    assert 'loading.py", line 27, in look' in done.stderr
    assert "--debug" not in done.stdout


def test_a_loader_that_cannot_be_imported_is_a_sentence_and_with_debug_a_traceback(
    feedbench: Feedbench, photos: Path
) -> None:
    (feedbench.folder / "loader.py").write_text("\nimport no_such_package\n")
    words = ("verify", photos, *SMALL, "-p", "mine=loader.py:photos", "--quiet")
    done = feedbench.run(*words)
    assert done.returncode == 2
    assert done.stderr == (
        "feedbench: --pipeline loader.py:photos: loader.py cannot be imported:"
        " ModuleNotFoundError: No module named 'no_such_package' (loader.py, line 2)\n"
        "hint: --debug shows the whole traceback\n"
    )
    shown = feedbench.run(*words, "--debug").stderr
    assert 'loader.py", line 2, in <module>\n    import no_such_package\n' in shown
