"""The language of faults, without a run."""

from __future__ import annotations

import pytest

from tests.faults.scenario import FAULTS, LASTING, PHASES, Line, drawn, parse


def test_a_scenario_is_read_line_by_line() -> None:
    text = """
        # a comment
        pilot: fill disk
        block 2 + 0.3: kill trial
        import: stop forkserver for 1.5
    """
    assert parse(text) == (
        Line("pilot", "fill disk"),
        Line("block", "kill trial", block=2, delay=0.3),
        Line("import", "stop forkserver", seconds=1.5),
    )


@pytest.mark.parametrize(
    "text",
    [
        "kill trial",
        "lunch: kill trial",
        "block: kill trial",
        "pilot 2: kill trial",
        "pilot: tickle trial",
        "pilot: kill trial for 2",
    ],
)
def test_a_line_that_is_wrong_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|only"):
        parse(text)


def test_a_drawn_scenario_is_the_same_for_the_same_seed_and_is_read_as_it_is_printed() -> None:
    for seed in range(200):
        scenario = drawn(seed, blocks=2)
        assert scenario == drawn(seed, blocks=2)
        assert parse("\n".join(map(str, scenario))) == scenario
        assert 1 <= len(scenario) <= 2


def test_seeds_draw_every_fault_and_every_phase_and_only_what_is_possible() -> None:
    lines = [line for seed in range(400) for line in drawn(seed, blocks=2)]
    assert {line.fault for line in lines} == set(FAULTS)
    assert {line.phase for line in lines} == set(PHASES)
    assert all(bool(line.seconds) == (line.fault in LASTING) for line in lines)
    only = [line for seed in range(50) for line in drawn(seed, blocks=2, possible={"kill trial"})]
    assert {line.fault for line in only} == {"kill trial"}
