"""What is reported of a peer's library that is missing, too old or broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.pipelines import catalog
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import Fit
from feedbench.pipelines.peers.requirement import Requirement
from feedbench.pipelines.peers.shared_memory import refuse_too_little


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages, with `fastload` 1.9.3+cpu, which has the extra `fastload`."""
    (tmp_path / "fastload.py").write_text("")
    (tmp_path / "fastload-1.9.3.dist-info").mkdir()
    metadata = "Metadata-Version: 2.1\nName: fastload\nVersion: 1.9.3+cpu\n"
    (tmp_path / "fastload-1.9.3.dist-info" / "METADATA").write_text(metadata)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def needing(*least: int, modules: tuple[str, ...] = ("fastload",)) -> Requirement:
    return Requirement(
        extra="fastload", modules={name: name for name in modules}, least={"fastload": least}
    )


def refusal(requirement: Requirement) -> str:
    with pytest.raises(RequestError) as refused:
        requirement.refuse()
    return str(refused.value)


def test_a_missing_library_is_named_with_the_extra(site: Path) -> None:
    assert refusal(needing(1, modules=("fastload", "no_such_a", "no_such_b.part"))) == (
        "it needs no_such_a and no_such_b.part, which this Python does not have\n"
        "hint: install the extra: pip install 'feedbench[fastload]'"
    )


@pytest.mark.parametrize("least", [(1, 9, 4), (1, 10), (2,)])
def test_a_library_that_is_too_old_is_named_with_both_versions(
    site: Path, least: tuple[int, ...]
) -> None:
    assert refusal(needing(*least)) == (
        f"it needs fastload {'.'.join(map(str, least))} or newer; this Python has 1.9.3+cpu\n"
        "hint: install the extra: pip install 'feedbench[fastload]' --upgrade"
    )


@pytest.mark.parametrize("least", [(1, 9, 3), (1, 9), (1,), (0, 12)])
def test_a_library_that_is_new_enough_is_not_refused(site: Path, least: tuple[int, ...]) -> None:
    needing(*least).refuse()


def test_a_library_whose_import_fails_is_named_with_the_reason(site: Path) -> None:
    (site / "broken_feed.py").write_text("import fastload\nraise OSError('libfast.so.9: gone')\n")
    with pytest.raises(RequestError) as refused:
        needing(1).imported("broken_feed")
    assert str(refused.value) == (
        "it needs fastload, whose import fails: OSError: libfast.so.9: gone\n"
        "hint: install the extra anew: pip install --force-reinstall 'feedbench[fastload]'"
    )


def test_workers_whose_batches_do_not_fit_into_the_shared_memory_are_refused() -> None:
    with pytest.raises(RequestError) as refused:
        refuse_too_little(10**15, workers=2, prefetch_factor=2)
    assert refused.value.sentence.startswith(
        "2 workers keep 7 batches of 1000000000.0 MB in /dev/shm, and "
    )
    assert "--shm-size" in refused.value.hint
    refuse_too_little(1, workers=2, prefetch_factor=2)
    refuse_too_little(10**15, workers=0, prefetch_factor=2)


@pytest.mark.parametrize("name", catalog.PEERS)
def test_every_peer_names_an_extra_that_there_is(name: str) -> None:
    import tomllib

    root = Path(__file__).parents[3]
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    requirement = catalog.built_in(name)().requirement
    assert requirement.extra in extras
    assert f"{requirement.extra}" in extras["peers"][0]


@pytest.mark.parametrize("name", catalog.PEERS)
def test_every_peer_is_refused_in_one_sentence_where_nothing_is_installed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedbench.pipelines.peers.requirement.find_spec", lambda module: None)
    with pytest.raises(RequestError, match="which this Python does not have") as refused:
        catalog.load(catalog.parse(name)).refuse(Fit(), (224, 224), None)  # type: ignore[attr-defined]
    assert refused.value.hint.startswith("install the extra: pip install 'feedbench[")
