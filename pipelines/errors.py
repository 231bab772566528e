"""The errors that a person may see. Each is one sentence, and knows its exit code.

FeedbenchError            1  a pipeline failed
├── WrongWorkError        1  it delivered something else than the workload
├── PreparationError      1  what it reads could not be written beforehand
├── RequestError          2  the request or the input is wrong
└── InterruptionError   130  Ctrl-C
"""


class FeedbenchError(Exception):
    """Something went wrong that one sentence explains: what, expected, found, what to do."""

    exit_code = 1


class WrongWorkError(FeedbenchError, ValueError):
    """A pipeline delivered something else than the workload."""


class PreparationError(FeedbenchError, OSError):
    """The files that a pipeline reads could not be written, or are not what was written."""


class RequestError(FeedbenchError, ValueError):
    """What was asked for, or the folder it was asked about, cannot be worked with."""

    exit_code = 2


class InterruptionError(FeedbenchError):
    """A person had enough."""

    exit_code = 130  # 128 + SIGINT, as a shell has it
