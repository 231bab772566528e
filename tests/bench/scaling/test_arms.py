"""The arms of a scaling run: which pipelines, on which cores."""

from __future__ import annotations

import pytest

from feedbench.bench.scaling.arms import arms_of
from feedbench.pipelines import catalog
from feedbench.pipelines.errors import RequestError

USABLE = (4, 5)


def refusal(spec: str, workers: tuple[int, ...] = (), cores: tuple[int, ...] = ()) -> RequestError:
    with pytest.raises(RequestError) as refused:
        arms_of(catalog.parse(spec), workers, cores, USABLE)
    return refused.value


def test_each_worker_has_a_core_and_more_workers_share_them() -> None:
    arms = arms_of(catalog.parse("tfdata_service:compression=none"), (1, 2, 4), (), USABLE)
    assert [arm.spec for arm in arms] == [
        "tfdata_service:compression=none,workers=1,cores=4",
        "tfdata_service:compression=none,workers=2,cores=4+5",
        "tfdata_service:compression=none,workers=4,cores=4+5",
    ]
    assert [arm.sharing for arm in arms] == ["none", "client", "workers"]
    for arm in arms:
        catalog.load(catalog.spec_of(arm.label, arm.spec))


def test_each_arm_is_a_pipeline_with_its_number_as_a_label() -> None:
    arms = arms_of(catalog.parse("mine=loader.py:photos"), (), (1, 2), USABLE)
    specs = [catalog.parse(f"{arm.label}={arm.spec}") for arm in arms]
    assert [(spec.label, spec.text) for spec in specs] == [
        ("1 core", "loader.py:photos"),
        ("2 cores", "loader.py:photos"),
    ]
    assert [arm.cores for arm in arms] == [[4], [4, 5]]


def test_the_cores_of_a_service_are_those_of_its_pipeline_in_one_process() -> None:
    spec = catalog.parse("tfdata_service:compression=none,parallel_calls=2")
    *_, last = arms_of(spec, (1, 2), (1, 2), USABLE)
    assert (last.label, last.spec) == ("2 cores", "tfdata_tuned:parallel_calls=2,cache=none")
    catalog.load(catalog.spec_of(last.label, last.spec))


def test_only_a_service_has_workers_and_the_hint_is_a_command_that_works() -> None:
    error = refusal("tfdata_tuned:cache=none,parallel_calls=2", workers=(1, 2))
    assert error.sentence == (
        "--workers: expected tfdata_service, whose workers are counted; found"
        " tfdata_tuned:cache=none,parallel_calls=2"
    )
    assert error.hint == "use -p tfdata_service:of=tfdata_tuned,parallel_calls=2, or --cores"
    catalog.load(catalog.parse("tfdata_service:of=tfdata_tuned,parallel_calls=2"))


def test_a_cluster_that_runs_already_cannot_be_limited_to_cores() -> None:
    error = refusal("tfdata_service:address=grpc://host:5050", workers=(1, 2))
    assert "its workers run already, and cannot be limited to cores" in error.sentence


@pytest.mark.parametrize("knob", ["workers=2", "cores=0"])
def test_what_the_arms_set_may_not_be_given(knob: str) -> None:
    error = refusal(f"tfdata_service:{knob}", workers=(1, 2))
    assert f"expected no knob {knob.partition('=')[0]}" in error.sentence


def test_more_cores_than_there_are_cannot_be_measured() -> None:
    assert refusal("tfdata_naive", cores=(1, 4)).sentence == (
        "--cores 4: expected 2 at most, the cores that this process may use"
    )
