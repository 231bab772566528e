"""Threads with a fast JPEG decoder, for a user who needs no tf.data."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from feedbench.pipelines.built_in.tail_knobs import Decode
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.remote.address import FSSPEC
from feedbench.pipelines.remote.reading import AT_ONCE

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.augmentation.ranges import Augmentation
    from feedbench.pipelines.contract import Feed, Workload
    from feedbench.pipelines.forms import Fit

_MODULES = {"simplejpeg": "simplejpeg", "cv2": "OpenCV"}


@dataclass(frozen=True, kw_only=True)
class Threads:
    """Threads of Python: simplejpeg decodes, OpenCV resizes into the batch; no TensorFlow.

    Pillow decodes what simplejpeg refuses: other formats, CMYK, and JPEGs with stray bytes. Images
    are in a new order each epoch. The memory of a batch is used again once nothing refers to it.
    OpenCV augments each image, with new draws in every epoch.
    """

    needs: ClassVar = {"simplejpeg": "simplejpeg", "cv2": "opencv-python-headless"}
    stores: ClassVar[frozenset[str]] = FSSPEC

    workers: Annotated[
        Annotated[int, Meta(ge=1, le=1024)] | Literal["auto"],
        Meta(description=f"threads; auto: one a core; {AT_ONCE} for images in a store"),
    ] = "auto"
    prefetch: Annotated[
        Annotated[int, Meta(ge=1, le=1024)],
        Meta(description="batches prepared ahead of the consumer"),
    ] = 2
    decode: Decode = "full"

    def refuse(
        self, fit: Fit, size: tuple[int, int], augmentation: Augmentation | None = None
    ) -> None:
        """Raise RequestError if a library is not installed that it needs."""
        missing = [name for module, name in _MODULES.items() if find_spec(module) is None]
        if missing:
            raise RequestError(
                f"it needs {' and '.join(missing)}, which this Python does not have",
                hint="install the extra: pip install 'feedbench[fast]'",
            )

    def open(self, workload: Workload, prepared: Path, scratch: Path) -> Feed:
        """Return a feed of the workload's files. Raises RequestError as `refuse` does."""
        self.refuse(workload.fit, (workload.height, workload.width), workload.augmentation)
        from feedbench.pipelines.built_in.threaded.thread_feed import ThreadFeed

        return ThreadFeed(
            workload,
            workers=None if self.workers == "auto" else self.workers,
            prefetch=self.prefetch,
            is_scaled=self.decode == "scaled",
        )
