"""Appetites that others have published: how many images a second a model takes in training."""

from __future__ import annotations

import msgspec

_STORAGE = "MLPerf Storage v1.0 and v2.0"
_STORAGE_FILES = (
    "https://github.com/mlcommons/storage/blob/caa90c9c7d6a543de815222fff834a846823f922"
    "/configs/dlio/workload"
)
_NVIDIA = "NVIDIA DeepLearningExamples, ResNet-50 v1.5 for TensorFlow 1"
_NVIDIA_FILE = (
    "https://github.com/NVIDIA/DeepLearningExamples/blob/1d4211fe9d94550d7bc72bb9b0ac4f576533ca52"
    "/TensorFlow/Classification/ConvNets/resnet50v1.5/README.md"
)


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """An appetite that others have published."""

    name: str  # as --appetite takes it
    images_per_second: float
    figure: str  # as the source gives it
    source: str
    url: str
    date: str  # of the source


def _of_storage(accelerator: str, step_seconds: float, batch_size: int) -> Published:
    """Return an appetite of MLPerf Storage, which emulates an accelerator by a sleep."""
    return Published(
        name=f"resnet50@{accelerator}",
        images_per_second=batch_size / step_seconds,
        figure=f"{batch_size} images in {step_seconds} s",
        source=_STORAGE,
        url=f"{_STORAGE_FILES}/resnet50_{accelerator}.yaml",
        date="2025-06",
    )


def _of_nvidia(name: str, images_per_second: float, figure: str) -> Published:
    return Published(
        name=f"resnet50@{name}",
        images_per_second=images_per_second,
        figure=figure,
        source=_NVIDIA,
        url=_NVIDIA_FILE,
        date="2020-06",  # of the container that measured it, 20.06
    )


PUBLISHED: tuple[Published, ...] = (
    _of_storage("h100", 0.224, 400),
    _of_storage("a100", 0.435, 400),
    _of_nvidia("a100-mixed", 2375.0, "one A100 40GB, mixed precision and XLA, batches of 256"),
    _of_nvidia("a100-tf32", 909.0, "one A100 40GB, TF32 and XLA, batches of 256"),
    _of_nvidia("v100-mixed", 1270.0, "one V100 16GB, mixed precision and XLA, batches of 256"),
    _of_nvidia("v100-fp32", 412.0, "one V100 16GB, FP32 and XLA, batches of 128"),
)
"""For images of 224x224 pixels. The files were read at the commits in their addresses."""
