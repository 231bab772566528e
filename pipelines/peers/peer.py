"""What all peers have: the library that each needs, and the forms that it refuses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from feedbench.pipelines.augmentation.ranges import Augmentation
    from feedbench.pipelines.forms import Fit
    from feedbench.pipelines.peers.requirement import Requirement


class Peer(ABC):
    """A loader of another library, over the same images as all pipelines."""

    @property
    @abstractmethod
    def requirement(self) -> Requirement:
        """The library that it needs with these knobs."""

    def refuse(
        self, fit: Fit, size: tuple[int, int], augmentation: Augmentation | None = None
    ) -> None:
        """Raise RequestError for augmentation, and if its library is missing or too old."""
        if augmentation is not None:
            raise RequestError(
                f"it does not augment; found --augment {augmentation}",
                hint="leave it out, or measure a tf.data pipeline",
            )
        self.requirement.refuse()
