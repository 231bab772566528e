"""Two versions of a loader are imported by paths of one length, and find what is next to them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from feedbench.bench.processes.loader_links import linked
from feedbench.pipelines.catalog import Spec, parse
from feedbench.pipelines.errors import RequestError

LOADER = "import sizes\ndef photos(workload):\n    return [(__file__, sizes.SIZE)]\n"
# A fresh process, as a trial's is: it has imported no module of these names.
IMPORTED = """
import sys
from pathlib import Path
from feedbench.pipelines.loader_file import load_function
name, link = sys.argv[1:]
((file, size),) = load_function(Path(name), "photos", link=link).open(None, None, None)
print(file, size)
"""


def a_loader(file: Path, size: int, text: str = LOADER) -> Spec:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    (file.parent / "sizes.py").write_text(f"SIZE = {size}\n")
    return parse(f"{file.name} {size}={file}:photos")


def imported(spec: Spec, link: str) -> tuple[str, str]:
    """The path that a loader has for itself, and what it imported from its own folder."""
    words = [sys.executable, "-c", IMPORTED, spec.name, link]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    file, size = done.stdout.split()
    return file, size


@pytest.mark.parametrize(
    ("base", "new"),
    [
        ("base/loader.py", "loader.py"),
        ("base/src/data/loader.py", "src/data/loader.py"),
        ("old_loader.py", "loader.py"),
        ("a/very/deep/folder/loading.py", "l.py"),
    ],
)
def test_both_have_a_path_of_the_same_length_and_their_own_neighbours(
    base: str, new: str, tmp_path: Path
) -> None:
    sizes = (1, 1) if "/" not in base else (1, 2)  # neighbours in one folder are the same
    specs = [a_loader(tmp_path / file, size) for file, size in zip((base, new), sizes, strict=True)]
    links = linked(specs, tmp_path / "links")
    seen = [imported(spec, links[spec.label]) for spec in specs]
    assert [file for file, _ in seen] == [*links.values()]
    assert len({len(file) for file in links.values()}) == 1
    assert len(set(links.values())) == 2
    assert [size for _, size in seen] == [str(size) for size in sizes]


def test_the_same_file_can_be_both(tmp_path: Path) -> None:
    spec = a_loader(tmp_path / "loader.py", 1)
    other = parse(f"again={tmp_path / 'loader.py'}:others")
    links = linked([spec, other], tmp_path / "links")
    assert len({len(file) for file in links.values()}) == 1
    assert all(Path(file).samefile(tmp_path / "loader.py") for file in links.values())


def test_a_loader_in_a_package_keeps_the_name_of_its_package(tmp_path: Path) -> None:
    text = (
        "from their_package.inner import SIZE\n"
        "def photos(workload):\n    return [(__file__, SIZE)]\n"
    )
    specs = []
    for size, place in enumerate(("base", "new")):
        package = tmp_path / place / "their_package"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "inner.py").write_text(f"SIZE = {size}\n")
        specs.append(a_loader(package / "loader.py", size, text))
    links = linked(specs, tmp_path / "links")
    seen = [imported(spec, links[spec.label]) for spec in specs]
    assert seen == [(file, str(size)) for size, file in enumerate(links.values())]


def test_built_in_pipelines_and_modules_have_no_link(tmp_path: Path) -> None:
    assert linked([parse("tfdata_naive"), parse("json:loads")], tmp_path / "links") == {}
    assert not (tmp_path / "links").exists()


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    spec = a_loader(tmp_path / "loader.py", 1)
    with pytest.raises(RequestError, match=r"cannot write links to the loaders in .*nowhere/links"):
        linked([spec], tmp_path / "nowhere" / "links")
