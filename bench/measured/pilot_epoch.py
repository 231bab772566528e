"""What a pilot reads, and what an image takes by that."""

from __future__ import annotations

import contextlib

import msgspec
import psutil


class PilotEpoch(msgspec.Struct, frozen=True, kw_only=True):
    """A first epoch, or a beginning of it. Times are seconds since it began."""

    first_at: float  # CLOCK_MONOTONIC, when the first batch arrived
    first_seconds: float
    first_images: int  # of the first batch
    seconds: float  # to the last batch that was read
    images: int
    of: int  # images in a whole epoch
    second_seconds: float | None = None  # of a second epoch, if the first one started workers

    @property
    def image_seconds(self) -> float:
        """What an image takes in an epoch.

        Not the start of workers, which takes seconds, and comes once.
        """
        if self.second_seconds is not None:
            return self.second_seconds / self.images
        return image_seconds(
            first_seconds=self.first_seconds,
            first_images=self.first_images,
            seconds=self.seconds,
            images=self.images,
            of=self.of,
        )


def image_seconds(
    *, first_seconds: float, first_images: int, seconds: float, images: int, of: int
) -> float:
    """Return what an image takes in a first epoch of `of` images, by a beginning of it.

    `first_seconds` went by until the first batch, of `first_images`; `seconds` until the last that
    was read, with `images` in all. The rest is taken to come as the batches after the first did:
    what comes before that, such as filling a buffer, comes once an epoch.
    """
    if images >= of or images == first_images:
        return seconds / images
    further_seconds = (seconds - first_seconds) / (images - first_images)
    return (first_seconds + (of - first_images) * further_seconds) / of


def descendants() -> frozenset[int]:
    """Return the ids of the processes under this one, or none if the system does not say."""
    with contextlib.suppress(OSError, psutil.Error):
        return frozenset(child.pid for child in psutil.Process().children(recursive=True))
    return frozenset()
