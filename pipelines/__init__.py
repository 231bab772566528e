"""The pipelines that are measured. Each room imports only from the rooms below it.

catalog:     What can be run, and how a SPEC is read
networks:    Networks to train: built-in ones by name, and the user's own
loader_file: A user's own function, in a file or a module, as a pipeline
peers:       Loaders of other libraries, each with an extra
built_in:    The pipelines that come with Feedbench, and the tf.data steps that they share
tfrecords:   TFRecord files: their format, and how Feedbench writes its own
keras_fit:   A Keras PyDataset as a feed, read as `fit` reads it
images:      A folder's images and labels, how they are decoded and checked, and sample photos
remote:      Photos in object storage: their addresses, how they are listed and read
system:      Processes and memory: signals, limits, and workers that may crash
knobs:       A pipeline's fields as its knobs
user_modules: A user's module, found without importing it
contract:    What a pipeline is given, and what it returns
exceptions:  What users read of an exception of their code: its line of their file
augmentation: What is drawn at random for each training image
preprocessing: What the networks of keras.applications take
forms:       The forms in which images can be delivered
errors:      The errors that a user can cause, and their exit codes

A package that offers a pipeline imports the contract and the errors from here. Neither loads NumPy
or TensorFlow.
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
