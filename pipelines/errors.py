"""The errors that a person may see. Each has one sentence and an exit code.

FeedbenchError            1  a pipeline failed
├── WrongWorkError        1  it delivered something other than the workload
├── PreparationError      1  its files could not be written before the trials
├── RequestError          2  the request or the input is wrong
└── InterruptionError   130  Ctrl-C
"""


class FeedbenchError(Exception):
    """Something failed. Its text is one sentence: what, what was expected and found, what to do."""

    exit_code = 1
    """The exit code of the command that this error ends."""


class WrongWorkError(FeedbenchError, ValueError):
    """A pipeline delivered something other than the workload."""


class PreparationError(FeedbenchError, OSError):
    """A pipeline's prepared files could not be written, or have changed since."""


class RequestError(FeedbenchError, ValueError):
    """The request, or the folder it names, cannot be used."""

    exit_code = 2


class InterruptionError(FeedbenchError):
    """A person pressed Ctrl-C."""

    exit_code = 130  # 128 + SIGINT, as a shell has it
