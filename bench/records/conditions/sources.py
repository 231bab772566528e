"""Whether the files that pipelines read stayed as they were when equal work was proven."""

from __future__ import annotations

from typing import Literal

import msgspec

from feedbench.bench.text import counted

AGAIN = "run it again when nothing writes to them"
"""The hint where files changed."""

SourceKind = Literal["photo", "record file", "prepared file"]
"""record file: the user's own; prepared file: one that a pipeline wrote in advance."""


class SourceChange(msgspec.Struct, frozen=True, kw_only=True):
    """Files that pipelines read, and that changed after the proof of equal work had begun.

    Or a store refused them, so that it is not known whether they changed: see `refusal`. It came
    after block `first_block - 1` and before the end of block `last_block`. Blocks count from 1; 0
    is the time before them.
    """

    kind: SourceKind  # of the first one
    first: str  # a photo's path relative to the folder, another file's whole path
    files: int  # with another size or time of modification, or that cannot be read any more
    gone: int  # of these: those that cannot be read any more
    first_block: int
    last_block: int
    refusal: str = ""  # why a store does not show whether they changed; "": they changed

    @property
    def clause(self) -> str:
        """Return what changed, and when."""
        return f"{self.what} {self._when()}"

    @property
    def what(self) -> str:
        """Return what changed, without when: the photo a.jpg changed."""
        nouns = self.kind if self.files == 1 else f"{self.kind}s"
        more = f" and {counted(self.files - 1, 'other')}" if self.files > 1 else ""
        if self.refusal:
            return f"{self.refusal}: the {nouns} {self.first}{more} could not be checked"
        verb = "disappeared" if self.gone == self.files else "changed"
        return f"the {nouns} {self.first}{more} {verb}"

    @property
    def hint(self) -> str:
        """What to do then."""
        return "run it again when the store answers" if self.refusal else AGAIN

    def _when(self) -> str:
        if not self.last_block:
            return "before the first block"
        if self.first_block == self.last_block:
            return f"during block {self.last_block}"
        return f"during blocks {max(self.first_block, 1)} to {self.last_block}"
