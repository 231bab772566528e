"""What is in the repository is in the package that pip builds of it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("bench", "pipelines", "reports")
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


FILES = [
    file.relative_to(ROOT)
    for room in ROOMS
    for file in (ROOT / room).rglob("*")
    if file.is_file() and file.parent.name != "__pycache__"
]


TOP_LEVEL = ROOT / SETUPTOOLS["package-dir"]["feedbench"]


def packages_of(files: Iterable[Path]) -> set[str]:
    """Return the packages in whose folders the files lie."""
    folders = (file.parent for file in files)
    return {
        ".".join(["feedbench", *(() if ROOT / folder == TOP_LEVEL else folder.parts)])
        for folder in folders
    }


def test_every_folder_of_modules_is_a_listed_package() -> None:
    packages = packages_of(file for file in FILES if file.name == "__init__.py")
    assert packages == packages_of(file for file in FILES if file.suffix == ".py")
    assert packages <= set(SETUPTOOLS["packages"])


def test_every_folder_of_data_is_listed_as_a_package_and_with_its_data() -> None:
    packages = packages_of(
        file for file in FILES if file.suffix != ".py" and file.name != "py.typed"
    )
    assert packages
    assert packages <= set(SETUPTOOLS["packages"])
    assert packages <= set(SETUPTOOLS["package-data"])


def test_every_listed_package_is_a_folder() -> None:
    for package in [*SETUPTOOLS["packages"], *SETUPTOOLS["package-data"]]:
        folder = TOP_LEVEL if package == "feedbench" else ROOT.joinpath(*package.split(".")[1:])
        assert folder.is_dir(), package


def test_the_types_of_each_room_are_for_others_too() -> None:
    for room in ROOMS:
        assert (ROOT / room / "py.typed").exists()
        assert "py.typed" in SETUPTOOLS["package-data"][f"feedbench.{room}"]
    assert (TOP_LEVEL / "py.typed").exists()
