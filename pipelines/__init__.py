"""What is measured. The rooms, what people call first; each imports only from those below it.

catalog:     What can be run, and how a SPEC is read
loader_file: A user's own function as a pipeline
built_in:    The pipelines that Feedbench brings, and the tf.data steps that they share
keras_fit:   A Keras PyDataset as a feed, read as `fit` reads it
images:      A folder's images and labels, how they are decoded and checked, and sample photos
system:      Processes and memory: signals, limits, and workers that may crash
knobs:       A pipeline's fields as its knobs
contract:    What a pipeline is given, and what it returns
errors:      What a person can cause, and its exit code

A package that brings a pipeline imports what it needs from here: the contract and the errors. None
of it loads NumPy or TensorFlow.
"""

from feedbench.pipelines.contract import (
    LUMA,
    Batch,
    Channels,
    Dtype,
    Feed,
    KnobOverruledWarning,
    LabelMode,
    Pipeline,
    Preparing,
    Workload,
)
from feedbench.pipelines.errors import (
    FeedbenchError,
    InterruptionError,
    PreparationError,
    RequestError,
    WrongWorkError,
)

__all__ = [
    "LUMA",
    "Batch",
    "Channels",
    "Dtype",
    "Feed",
    "FeedbenchError",
    "InterruptionError",
    "KnobOverruledWarning",
    "LabelMode",
    "Pipeline",
    "PreparationError",
    "Preparing",
    "RequestError",
    "Workload",
    "WrongWorkError",
]
