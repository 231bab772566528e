"""What tf.data service costs on one machine, compared with the pipeline that its workers run."""

from __future__ import annotations

from collections.abc import Iterator

from feedbench.bench.records.diagnosis import Advice
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.text import digits, size
from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.built_in.service.tfdata_service import TfdataService
from feedbench.pipelines.errors import RequestError

_WORTH = 0.05  # of its CPU time
_OTHERWISE = {"compression", "shards"}  # of batches there, and more files for more workers


def of_service(row: Row, run: RunRecord) -> Iterator[Advice]:
    """Yield what the service costs, if the run has the same pipeline without it."""
    service = _service(row)
    if service is None or row.cpu_seconds_per_1000_images is None:
        return
    alone = next((other for other in run.rows if _is_alone(other, service)), None)
    if alone is None or alone.cpu_seconds_per_1000_images is None:
        return
    more = row.cpu_seconds_per_1000_images - alone.cpu_seconds_per_1000_images
    share = more / row.cpu_seconds_per_1000_images
    if share < _WORTH:
        return
    sent = row.received_bytes_per_image
    what = f", {size(sent)} an image" if sent else ""
    yield Advice(
        label=row.label,
        sentence=(
            f"the service takes {digits(more)} s of CPU time more for 1,000 images than"
            f" {alone.label} without it. It compresses, sends and receives batches{what}. On the"
            " same cores that only costs. Start workers on other machines (address=grpc://HOST:PORT)."
        ),
        figure=f"the rows of {row.label} and {alone.label}: cpu_seconds_per_1000_images",
        gain=share,
    )


def _service(row: Row) -> TfdataService | None:
    """Return the tf.data service of a row whose servers the trials start; None for others."""
    try:
        spec = catalog.spec_of(row.label, row.spec)
        if spec.name != "tfdata_service" or spec.python:
            return None
        service = catalog.load(spec)
    except RequestError:  # of another version
        return None
    assert isinstance(service, TfdataService)
    return None if service.is_elsewhere else service


def _is_alone(other: Row, service: TfdataService) -> bool:
    """Whether a row is the pipeline that the workers run, without the service."""
    try:
        spec = catalog.spec_of(other.label, other.spec)
        if spec.name != service.of or spec.python:
            return False
        theirs = knobs.values(catalog.load(spec))
    except RequestError:  # of another version
        return False
    ours = knobs.values(service)
    return all(theirs[knob] == ours[knob] for knob in theirs.keys() & ours.keys() - _OTHERWISE)
