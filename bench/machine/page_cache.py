"""Warm or cold: sets the state of the page cache before a trial, and certifies it.

It concerns the first epoch: how much of the pipeline's files was resident before, and how many
bytes came from the device. Later epochs find what the first one has read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from feedbench.bench.files import stamp_of
from feedbench.bench.machine.residency import Residency, evict, residency
from feedbench.bench.machine.warming import warm
from feedbench.bench.records.conditions.page_cache import Certificate, State
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.remote.address import is_address

_WARM_SHARE = 0.99  # warm if at least this share is resident
_COLD_SHARE = 0.01  # cold if at most this share is
# Bytes read from the device, as a share of the files' bytes; measured: 1.0 to 1.1 cold, 0 warm.
_COLD_READS, _WARM_READS = 0.8, 0.1


class PageCache:
    """Brings the page cache into the requested state."""

    def __init__(
        self,
        state: State,
        images: Sequence[str],
        records: Sequence[str] = (),
        *,
        ask: Callable[[Sequence[str]], Residency] = residency,
        send_out: Callable[[Sequence[str]], str | None] = evict,
    ) -> None:
        """Set the images' files, which a pipeline without prepared files reads.

        `records` are the user's record files, which one pipeline reads in their place.
        """
        self.state = state
        self._images = images
        self._records = records
        self._ask = ask
        self._send_out = send_out

    def holds(self, prepared: Path | None, *, reads_records: bool = False) -> bool:
        """Return whether a trial's files can be in the page cache: those in a store cannot."""
        files = self._records if reads_records else self._images
        return prepared is not None or not any(map(is_address, files[:1]))

    def before(self, prepared: Path | None, *, reads_records: bool = False) -> Certificate:
        """Load a trial's files into the page cache, or evict them; return the certificate."""
        files = self._records if reads_records else self._images
        if prepared is not None:
            files = sorted(str(file) for file in prepared.rglob("*") if file.is_file())
        why = None
        if self.state == "cold":
            # A pipeline with prepared files may read the images as well.
            images = [] if self._images and is_address(self._images[0]) else self._images
            why = self._send_out([*files, *images] if prepared is not None else files)
            resident = self._ask(files)
        else:
            resident = self._ask(files)
            if resident.share is not None and resident.share < _WARM_SHARE:
                with suppress(RequestError):  # the trial itself reports a missing file
                    warm(files)
                resident = self._ask(files)
        contradicted = _contradicted_by(resident.share, self.state)
        return Certificate(
            asked=self.state,
            files=len(files),
            bytes=sum(stamp.size for file in files if (stamp := stamp_of(file)) is not None),
            resident=resident.share,
            why_not=why or resident.why_unknown or contradicted,
            is_contradicted=contradicted is not None,
        )


def after(certificate: Certificate, read_bytes: int | None) -> Certificate:
    """Return the certificate with the bytes that the first epoch read from the device."""
    contradicted = None
    if read_bytes is not None and certificate.bytes:
        contradicted = _read_otherwise(read_bytes / certificate.bytes, certificate.asked)
    unknown = None if read_bytes is not None else "how much was read from the device is unknown"
    return msgspec.structs.replace(
        certificate,
        read_bytes=read_bytes,
        why_not=certificate.why_not or contradicted or unknown,
        is_contradicted=certificate.is_contradicted or contradicted is not None,
    )


def _read_otherwise(share: float, asked: State) -> str | None:
    if asked == "cold" and share < _COLD_READS:
        return f"only {share:.0%} of the files' bytes were read from the device"
    if asked == "warm" and share > 1:  # of a few small files: a program's own code is more
        return "more bytes than the files have were read from the device, such as code"
    if asked == "warm" and share > _WARM_READS:
        return f"{share:.0%} of the files' bytes were read from the device"
    return None


def _contradicted_by(share: float | None, state: State) -> str | None:
    if share is None or (share >= _WARM_SHARE if state == "warm" else share <= _COLD_SHARE):
        return None
    return f"{share:.0%} of the files' bytes were resident before"
