"""`-p package.module:function`, as it is found, imported and refused."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedbench.pipelines import catalog
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError

WORKLOAD = Workload(
    files=("/photos/cats/0.jpg",),
    labels=(0,),
    class_names=("cats",),
    height=2,
    width=2,
    folder_images=1,
)
LOADER = "from .batches import BATCHES\n\ndef photos(workload):\n    return BATCHES\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder; what is imported from it or next to it is forgotten in the end."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    yield folder
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def package(folder: Path, name: str, loader: str = LOADER, init: str | None = "") -> None:
    inner = folder / name
    inner.mkdir(parents=True)
    if init is not None:
        (inner / "__init__.py").write_text(init)
    (inner / "batches.py").write_text("BATCHES = ['a batch']\n")
    (inner / "loading.py").write_text(loader)


def batches(text: str) -> list[object]:
    (spec,) = catalog.parse_all((text,))
    return list(catalog.load(spec).open(WORKLOAD, Path("prepared"), Path("scratch")))


def refused(text: str) -> str:
    with pytest.raises(RequestError) as caught:
        batches(text)
    return str(caught.value)


@pytest.mark.parametrize("init", ["", None])
def test_a_function_of_a_module_in_the_current_folder_is_a_pipeline(
    here: Path, init: str | None
) -> None:
    package(here, "their_package_1" if init is None else "their_package_2", init=init)
    name = "their_package_1" if init is None else "their_package_2"
    assert batches(f"mine={name}.loading:photos") == ["a batch"]


def test_a_package_in_packages_may_lack_init_files(here: Path) -> None:
    package(here / "their_outer", "inner", init=None)
    assert batches("their_outer.inner.loading:photos") == ["a batch"]


def test_a_module_of_an_installed_package_is_found_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path / "packages", "their_installed")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    assert batches("their_installed.loading:photos") == ["a batch"]
    assert str(tmp_path / "packages" / "their_installed") not in sys.path


def test_an_environment_in_the_current_folder_is_not_its_code(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = here / ".venv" / "site-packages"
    package(packages, "their_environment")
    monkeypatch.syspath_prepend(packages)
    assert batches("their_environment.loading:photos") == ["a batch"]
    assert str(packages / "their_environment") not in sys.path


def test_a_package_that_is_a_link_in_the_current_folder_is_found_without_it_in_the_path(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in another environment, whose Python is started with -P."""
    package(tmp_path / "there", "their_linked")
    (here / "their_linked").symlink_to(tmp_path / "there" / "their_linked")
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each not in ("", str(here))])
    assert batches("their_linked.loading:photos") == ["a batch"]


def test_a_module_can_import_its_neighbours_as_a_file_can(here: Path) -> None:
    package(
        here, "their_next", "from batches import BATCHES\n\ndef photos(w):\n    return BATCHES\n"
    )
    assert batches("their_next.loading:photos") == ["a batch"]


def test_nothing_is_imported_when_a_request_is_checked(here: Path) -> None:
    package(here, "their_quiet", "raise AssertionError", init="raise AssertionError")
    (spec,) = catalog.parse_all(("their_quiet.loading:photos",))
    assert spec.is_module
    assert spec.is_foreign
    assert spec.walks_folder
    assert catalog.source_file(spec) == here / "their_quiet" / "loading.py"
    assert "their_quiet" not in sys.modules


def test_what_does_not_exist_is_refused_with_what_does(here: Path) -> None:
    package(here, "their_all")
    (here / "a_folder" / "inner").mkdir(parents=True)
    (here / "a_file.py").touch()
    assert refused("x=no_such.loading:photos") == (
        "--pipeline no_such.loading:photos: there is no module no_such\n"
        f"hint: it must be in this folder, {here}, or installed for {sys.executable}"
    )
    assert refused("their_all.loadin:photos") == (
        "--pipeline their_all.loadin:photos: their_all has no module loadin; looked in"
        f" {here / 'their_all'}\nhint: did you mean loading?"
    )
    assert "a_file has no module x; it is no package" in refused("a_file.x:photos")
    assert "a_folder.inner is a folder or built into Python" in refused("a_folder.inner:photos")
    assert refused("their_all.loading:photo") == (
        "their_all.loading has no function 'photo'; its functions are: photos"
    )


def test_an_import_that_fails_names_the_line(here: Path) -> None:
    package(here, "their_broken", "\nimport no_such_package\n")
    assert refused("their_broken.loading:photos") == (
        "their_broken.loading cannot be imported: ModuleNotFoundError: No module named"
        " 'no_such_package' (their_broken/loading.py, line 2)\n"
        "hint: --debug shows the whole traceback"
    )


def test_another_package_of_that_name_that_was_imported_first_is_named(here: Path) -> None:
    package(here, "json", "def photos(workload):\n    return []\n")
    (here / "json" / "decoder.py").write_text("def photos(workload):\n    return []\n")
    sentence = refused("json.decoder:photos")
    assert sentence.startswith("json.decoder is /")
    assert sentence.endswith(f"hint: name the file: {here / 'json' / 'decoder.py'}:photos")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("loader:drop", "loader.py:drop"),
        ("mine=loader:drop", "loader.py:drop"),
        ("loader", "loader.py:FUNCTION"),
        ("below/loader:drop", "below/loader.py:drop"),
    ],
)
def test_a_file_without_its_suffix_is_asked_for_with_it(here: Path, text: str, meant: str) -> None:
    (here / "below").mkdir()
    for folder in (here, here / "below"):
        (folder / "loader.py").write_text("def drop(workload): ...\n")
    name = meant.partition(".")[0]
    assert refused(text) == f"there is no pipeline {name!r}\nhint: did you mean {meant}?"


def test_knobs_are_not_a_function_of_a_module() -> None:
    assert not catalog.parse("their.pipeline:level=high").is_module
    assert not catalog.parse("their.pipeline").is_module
    assert "there is no pipeline 'their.pipeline'" in refused("their.pipeline")
