"""The Python in README and docs does what the pages say of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.markdown import LOADER, PAGES, Block, blocks
from tests.support.programs.documented import Place

SCRIPTS = [block for page in PAGES for block in blocks(page, "python") if block.is_run]
RECIPES = [block for block in SCRIPTS if block.page == LOADER]
ENTRY_POINTS = re.compile(r'entry-points."(.+?)"\]\n(\w+) = "(.+?)"')


@pytest.fixture
def place(tmp_path: Path, photos: Path) -> Place:
    return Place(tmp_path, photos)


def install(place: Place, recipe: Block) -> str:
    """Make the package that the page describes, and return the name of its pipeline."""
    package = place.work / "my_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "loading.py").write_text(recipe.text)
    (toml,) = blocks(LOADER, "toml")
    (entry,) = ENTRY_POINTS.findall(toml.text)
    group, name, target = entry
    about = place.work / "my_package-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my_package\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n")
    return str(name)


@pytest.mark.tensorflow
@pytest.mark.end_to_end
def test_every_recipe_delivers_the_images(place: Place) -> None:
    words = []
    for number, recipe in enumerate(RECIPES):
        if "def photos" in recipe.text:
            (place.work / f"recipe_{number}.py").write_text(recipe.text)
            words += ["-p", f"recipe_{number}=recipe_{number}.py:photos"]
        else:
            words += ["-p", f"{install(place, recipe)}:shuffle=false"]
    assert len(words) == 2 * 6
    done = place.call("feedbench", "verify", str(place.home / "photos"), *words, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    works = [each["proof"]["work"] for each in json.loads(done.stdout)["pipelines"]]
    assert works == ["same", "same", "near", "near", "near", "near"]


def with_marks(script: Block) -> object:
    """A script as a case; what imports TensorFlow takes seconds."""
    is_slow = "import tensorflow" in script.text
    marks = [pytest.mark.tensorflow, pytest.mark.thorough] if is_slow else []
    return pytest.param(script, id=script.name, marks=marks)


@pytest.mark.parametrize("script", [with_marks(block) for block in SCRIPTS if block.page != LOADER])
def test_a_script_runs(script: Block, place: Place) -> None:
    place.add_runs()
    done = place.call("python", "-c", script.text)
    assert done.returncode == 0, done.stderr
    assert done.stdout
