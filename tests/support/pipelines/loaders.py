"""Loader files as a stranger would write them, good and bad. Text: each is written to a file."""

from __future__ import annotations

from pathlib import Path

HEAD = """
import os, sys, time
import numpy as np
from PIL import Image

def read(file, workload):
    image = Image.open(file).convert("RGB")
    image = image.resize((workload.width, workload.height), Image.Resampling.BILINEAR)
    return np.asarray(image, np.float32) / 255

def batches(workload, copies=1, missing=0):
    count = workload.images * copies - missing
    files, labels = (workload.files * copies)[:count], (workload.labels * copies)[:count]
    for start in range(0, len(files), workload.batch_size):
        part = slice(start, start + workload.batch_size)
        images = np.stack([read(file, workload) for file in files[part]])
        yield images, np.asarray(labels[part], np.int32)
"""

GOOD = "def photos(workload):\n    return batches(workload)\n"
GREY_UINT8_CATEGORICAL = """
def photos(workload):
    assert workload.value_range == (0, 255) and workload.label_mode == "categorical"
    one_hot = np.eye(len(workload.class_names), dtype=np.float32)
    for images, labels in batches(workload):
        grey = (images * 255)[..., :workload.channels].astype(workload.dtype)
        yield grey, one_hot[labels]
"""
TWICE = """
def photos(workload):
    class Feed:
        def __iter__(self):
            for images, labels in batches(workload):
                images[1], labels[1] = images[0], labels[0]
                yield images, labels
    return Feed()
"""
MIRRORED = """
def photos(workload):
    return [(images[:, :, ::-1], labels) for images, labels in batches(workload)]
"""
DECODES_WHAT_IS_CUT_OFF = f"""
from PIL import ImageFile

ImageFile.LOAD_TRUNCATED_IMAGES = True
{GOOD}
"""
SHRINKS_PHOTOS = """
def photos(workload):
    trials = os.path.join(os.path.dirname(__file__), "R", "trials.jsonl")
    with open(trials) as file:
        is_second_block = '"block":1' in file.read()  # trials that take turns are recorded together
    small = Image.open(workload.files[0]).size == (48, 48)
    if is_second_block and not small:
        for name in workload.files:
            Image.open(name).resize((48, 48)).save(name)
    return batches(workload)
"""
NOTHING = "def photos(workload):\n    pass\n"
EMPTY = "def photos(workload):\n    return []\n"
TOO_FEW = "def photos(workload):\n    return batches(workload, missing=3)\n"
TOO_MANY = "def photos(workload):\n    return batches(workload, copies=2)\n"
ENDLESS = """
def photos(workload):
    while True:
        yield from batches(workload)
"""
RAISES = """
def photos(workload):
    yield next(batches(workload))
    raise RuntimeError("the disk is on fire")
"""
EXITS = "def photos(workload):\n    sys.exit(3)\n"
HANGS = """
def photos(workload):
    with open(os.environ["PIDS"], "a") as file:
        print(os.getpid(), file=file)
    yield next(batches(workload))
    time.sleep(1000)
"""
HANGS_AGAIN = """
calls, EPOCH = 0, 3
def photos(workload):  # once for each epoch: the pilot sees the first, a proof the second
    global calls
    calls += 1
    if calls == EPOCH:
        time.sleep(1000)
    yield from batches(workload)
"""
KILLED = "import signal\ndef photos(workload):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
SEGFAULTS = "import ctypes\ndef photos(workload):\n    ctypes.string_at(0)\n"
WITH_WORKERS = """
import subprocess
def photos(workload):
    for session in (False, True):  # a worker of the group, and one that has left it
        worker = subprocess.Popen(["sleep", "1000"], start_new_session=session)
        with open(os.environ["PIDS"], "a") as file:
            print(worker.pid, file=file)
    return batches(workload)
"""
PY_DATASET = """
import keras

class Photos(keras.utils.PyDataset):
    def __init__(self, workload, **given):
        super().__init__(**given)
        self.workload = workload
    def __len__(self):
        return -(-self.workload.images // self.workload.batch_size)
    def __getitem__(self, place):
        with open(os.environ["PIDS"], "a") as file:
            print(os.getpid(), file=file)
        size = self.workload.batch_size
        part = slice(place * size, (place + 1) * size)
        images = np.stack([read(file, self.workload) for file in self.workload.files[part]])
        return images, np.asarray(self.workload.labels[part], np.int32)

def photos(workload):
    return Photos(workload, workers=2, use_multiprocessing=True)
"""
SLOW_TO_TEAR_DOWN = """
class Endless:
    def __init__(self, batches):
        self.batches, self.next = batches, 0
    def __iter__(self):
        return self
    def __next__(self):
        self.next += 1
        return self.batches[(self.next - 1) % len(self.batches)]
    def __del__(self):
        time.sleep(1000)

class Feed:
    def __init__(self, batches):
        self.batches = batches
    def __iter__(self):
        return iter(self.batches)
    def repeat(self):
        return Endless(self.batches)

def photos(workload):
    return Feed(list(batches(workload)))
"""
HANGS_WITH_WORKERS = WITH_WORKERS.replace("return batches(workload)", "time.sleep(1000)")


def write_loader(folder: Path, text: str, name: str = "loader.py") -> Path:
    """Write a loader file whose function is `photos`."""
    file = folder / name
    file.write_text(HEAD + text)
    return file


FEED = """
class Feed:
    def __init__(self, workload):
        self.workload = workload
    def __iter__(self):
        return batches(self.workload)

photos = Feed
"""
"""Loads without TensorFlow, anew in each epoch."""
