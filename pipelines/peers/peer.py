"""What all peers have: the library that each needs, and the forms that it refuses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from feedbench.pipelines.augmentation.refusal import refuse_augmentation
from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from feedbench.pipelines.augmentation.ranges import Augmentation
    from feedbench.pipelines.forms import Fit
    from feedbench.pipelines.peers.requirement import Requirement


class Peer(ABC):
    """A loader of another library, over the same images as all pipelines."""

    only_stretches: ClassVar[bool] = False
    """Whether its library can only stretch images to their size."""

    @property
    @abstractmethod
    def requirement(self) -> Requirement:
        """The library that it needs with these knobs."""

    def refuse(
        self, fit: Fit, size: tuple[int, int], augmentation: Augmentation | None = None
    ) -> None:
        """Raise RequestError for what it cannot do, and if its library is missing or too old.

        It cannot augment, and perhaps not fit images in another way than by stretching.
        """
        if self.only_stretches and fit.rule != "stretch":
            raise RequestError(
                f"it resizes by --fit stretch only; found --fit {fit}",
                hint="use --fit stretch, or measure another pipeline",
            )
        refuse_augmentation(augmentation)
        self.requirement.refuse()
