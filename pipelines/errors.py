"""The errors that a user may see. Each has one sentence, often a hint, and an exit code.

FeedbenchError            1  a pipeline failed
├── WrongWorkError        1  it delivered something other than the workload
├── PreparationError      1  its files could not be written before the trials
├── RequestError          2  the request or the input is wrong
└── InterruptionError   130  Ctrl-C; after another signal, 128 + its number
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tabs and line ends


def without_controls(text: str) -> str:
    r"""Return a text whose control characters are shown, such as an ESC as \x1b.

    A terminal would obey them: the text of an exception could move its cursor or set its title.
    """
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return a hint that names the word most similar to `word` among `words`; "" if none is."""
    near = get_close_matches(word.strip().lower(), [*words], n=1)
    return f"did you mean {near[0]}?" if near else ""


class FeedbenchError(Exception):
    """Something failed.

    The sentence says what, what was expected and what was found. The hint says what to do; it is ""
    where the sentence leaves only one thing to do. As text they are two lines:

        --range 0..1: uint8 images are always 0..255
        hint: leave --range out, or use --dtype float32
    """

    exit_code = 1
    """The exit code of the command that this error ends."""

    def __init__(self, sentence: str = "", *, hint: str = "") -> None:
        super().__init__(without_controls(sentence))
        self.hint = without_controls(hint)

    def __str__(self) -> str:
        """Return the sentence, and the hint on a line of its own."""
        return "\n".join(filter(None, [self.sentence, self.hint and f"hint: {self.hint}"]))

    @property
    def sentence(self) -> str:
        """What failed, without what to do."""
        return str(self.args[0])


class WrongWorkError(FeedbenchError, ValueError):
    """A pipeline delivered something other than the workload."""


class PreparationError(FeedbenchError, OSError):
    """A pipeline's prepared files could not be written, or have changed since."""


class RequestError(FeedbenchError, ValueError):
    """The request, or a folder that it names, cannot be used."""

    exit_code = 2


class InterruptionError(FeedbenchError):
    """The user pressed Ctrl-C, or another signal ended the command.

    For another signal, the command line makes the exit code 128 + its number: 143 for SIGTERM.
    """

    exit_code = 130  # 128 + SIGINT, as in a shell
