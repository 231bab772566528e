"""The arms of a scaling run: one pipeline with each number of workers or cores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from feedbench.bench.records.scaling.scaling import Arm, Sharing
from feedbench.bench.text import counted
from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.built_in.service.tfdata_service import TfdataService
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.system.affinity import CAN_PIN

_SERVICE = "tfdata_service"
_SET = ("workers", "cores")  # knobs of the service that an arm sets
_OF_SERVICE = (*_SET, "of", "sharding", "compression", "address", "cache")


def arms_of(
    spec: Spec, workers: Sequence[int], cores: Sequence[int], usable: Sequence[int]
) -> tuple[Arm, ...]:
    """Return an arm for each number of workers, and one for each number of cores.

    `usable` are the cores that this process may use. Each worker gets one of them, in turn. Of
    tf.data service, the arms of `cores` run its pipeline in one process, without the service.
    Raises RequestError for a pipeline that cannot be measured so.
    """
    if not CAN_PIN:
        raise RequestError(
            "this system cannot limit a process to cores; expected Linux",
            hint="measure the pipeline with feedbench run",
        )
    service = _service(spec)
    if service is not None:
        _refuse_set(spec, service)
    elif workers:
        raise RequestError(
            f"--workers: expected tfdata_service, whose workers are counted; found {spec.text}",
            hint=_hint(spec),
        )
    _refuse_more_cores(cores, usable)
    alone = spec.text if service is None else _without_service(spec, service)
    return (
        *(_of_workers(spec, count, usable) for count in workers),
        *_of_cores(alone, cores, usable),
    )


def _service(spec: Spec) -> TfdataService | None:
    """Return the tf.data service of a SPEC; None if it is another pipeline."""
    if spec.name != _SERVICE or spec.python:
        return None
    pipeline = catalog.load(spec)
    assert isinstance(pipeline, TfdataService)
    return pipeline


def _hint(spec: Spec) -> str:
    if spec.name == "tfdata_tuned" and not spec.python:
        given = {"of": "tfdata_tuned", **_knobs(spec, leave_out=("cache",))}
        return f"use -p {knobs.spec_text(_SERVICE, given)}, or --cores"
    return "use -p tfdata_service, or --cores"


def _refuse_set(spec: Spec, service: TfdataService) -> None:
    """Raise RequestError for knobs that the arms set, and for a cluster that runs already."""
    if service.is_elsewhere:
        raise RequestError(
            f"--pipeline {spec.text}: its workers run already, and cannot be limited to cores or"
            " counted",
            hint="leave address out: each trial then starts its own workers",
        )
    for knob in _SET:
        if knob in catalog.knobs_given(spec):
            raise RequestError(
                f"--pipeline {spec.text}: expected no knob {knob}, which feedbench scale sets",
                hint="give the numbers of workers by --workers, and of cores by --cores",
            )


def _refuse_more_cores(cores: Sequence[int], usable: Sequence[int]) -> None:
    for count in cores:
        if count > len(usable):
            raise RequestError(
                f"--cores {count}: expected {len(usable)} at most, the cores that this process may"
                " use",
                hint="more cores are extrapolated from those that are measured",
            )


def _of_workers(spec: Spec, count: int, usable: Sequence[int]) -> Arm:
    cores = [*usable[:count]]
    given = {**_knobs(spec), "workers": str(count), "cores": "+".join(map(str, cores))}
    sharing: Sharing = "none"
    if count >= len(usable):
        sharing = "workers" if count > len(usable) else "client"
    return Arm(
        label=counted(count, "worker"),
        spec=knobs.spec_text(_SERVICE, given),
        axis="workers",
        count=count,
        cores=cores,
        sharing=sharing,
    )


def _of_cores(text: str, counts: Sequence[int], usable: Sequence[int]) -> Iterator[Arm]:
    for count in counts:
        yield Arm(
            label=counted(count, "core"),
            spec=text,
            axis="cores",
            count=count,
            cores=[*usable[:count]],
        )


def _without_service(spec: Spec, service: TfdataService) -> str:
    """Return the SPEC of the pipeline that a service's workers run. They cache nothing."""
    given = {**_knobs(spec, leave_out=_OF_SERVICE), "cache": "none"}
    return knobs.spec_text(service.of, given)


def _knobs(spec: Spec, leave_out: Sequence[str] = ()) -> dict[str, str]:
    """Return the knobs that a SPEC gives, as text."""
    given = catalog.knobs_given(spec)
    return {knob: text for knob, text in given.items() if knob not in leave_out}
