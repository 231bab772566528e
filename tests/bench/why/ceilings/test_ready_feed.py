from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.tensorflow
def test_a_ready_batch_lies_in_the_processors_memory_whatever_devices_there_are() -> None:
    """A second processor stands for a GPU: what tensors would be on by themselves."""
    code = (
        "import tensorflow as tf\n"
        "from feedbench.bench.why.ceilings.ready_feed import ready\n"
        "from feedbench.pipelines.contract import Workload\n"
        "cpu, = tf.config.list_physical_devices('CPU')\n"
        "two = [tf.config.LogicalDeviceConfiguration()] * 2\n"
        "tf.config.set_logical_device_configuration(cpu, two)\n"
        "workload = Workload(folder='', files=('a',), labels=(0,), class_names=('a',), height=4,\n"
        "                    width=4, batch_size=1, folder_images=1)\n"
        "with tf.device('CPU:1'):\n"
        "    feed = ready(workload)\n"
        "for part in next(iter(feed)):\n"
        "    print(part.device)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert [line.rpartition("/")[2] for line in done.stdout.splitlines()] == ["device:CPU:0"] * 2, (
        done.stderr
    )
