"""The refusal of augmentation by pipelines that have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from feedbench.pipelines.augmentation.ranges import Augmentation


def refuse_augmentation(
    augmentation: Augmentation | None, alternative: str = "measure a tf.data pipeline"
) -> None:
    """Raise RequestError if augmentation is asked for; `alternative` is what else to do."""
    if augmentation is not None:
        raise RequestError(
            f"it does not augment; found --augment {augmentation}",
            hint=f"leave it out, or {alternative}",
        )
