import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError

PACKAGE = '''
from dataclasses import dataclass
from typing import Literal

@dataclass(frozen=True, kw_only=True)
class Zipped:
    """Photos out of a zip file."""

    level: Literal["low", "high"] = "low"

    def prepare(self, workload, prepared): ...
    def open(self, workload, prepared, scratch): ...

class Plain:
    def prepare(self, workload, prepared): ...
    def open(self, workload, prepared, scratch): ...

def photos(workload):
    return [(workload.files, workload.labels)]
'''

WORKLOAD = Workload(
    files=("/photos/cats/0.jpg",),
    labels=(0,),
    class_names=("cats",),
    height=2,
    width=2,
    folder_images=1,
)

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a module in place as pip would, with the metadata that offers its pipelines."""

    def put(source: str, **offered: str) -> None:
        (tmp_path / "their_package.py").write_text(source)
        info = tmp_path / "x-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: x\nVersion: 1\n")
        lines = [f"{name} = their_package:{offer}" for name, offer in offered.items()]
        (info / "entry_points.txt").write_text("\n".join(["[feedbench.pipelines]", *lines]))
        monkeypatch.syspath_prepend(tmp_path)

    yield put
    sys.modules.pop("their_package", None)


@pytest.fixture
def loader(tmp_path: Path) -> Path:
    """A file that nobody may import."""
    file = tmp_path / "loader.py"
    file.write_text("raise AssertionError('imported')\n")
    return file


def refused(*specs: str) -> str:
    """Return the sentence with which a request for these pipelines is refused."""
    with pytest.raises(RequestError) as caught:
        catalog.parse_all(specs)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "label", "name", "argument"),
    [
        ("tfdata_tuned", "tfdata_tuned", "tfdata_tuned", ""),
        ("tuned=tfdata_tuned", "tuned", "tfdata_tuned", ""),
        ("tuned=tfdata_tuned:cache=file", "tuned", "tfdata_tuned", "cache=file"),
        (
            "tfdata_tuned:cache=file,parallel_calls=2",
            "tfdata_tuned:cache=file,parallel_calls=2",
            "tfdata_tuned",
            "cache=file,parallel_calls=2",
        ),
        ("mine=loader.py:photos", "mine", "loader.py", "photos"),
        ("loader.py:photos", "loader.py:photos", "loader.py", "photos"),
        ("a b=c=d.py:photos", "a b", "c=d.py", "photos"),
    ],
)
def test_the_label_is_what_precedes_the_first_equals_sign_that_stands_before_any_colon(
    text: str, label: str, name: str, argument: str
) -> None:
    spec = catalog.parse(text)
    assert (spec.label, spec.name, spec.argument) == (label, name, argument)


def test_a_spec_without_its_label_reads_the_same_but_for_the_label() -> None:
    labelled = catalog.parse("mine=tfdata_tuned:cache=file")
    assert labelled.text == "tfdata_tuned:cache=file"
    assert catalog.spec_of("mine", labelled.text) == labelled


@pytest.mark.parametrize(
    ("text", "is_file", "is_foreign"),
    [("tfdata_naive", False, False), ("loader.py:photos", True, True), ("theirs", False, True)],
)
def test_code_that_is_not_our_own_is_told_by_its_name(
    text: str, is_file: bool, is_foreign: bool
) -> None:
    spec = catalog.parse(text)
    assert (spec.is_file, spec.is_foreign) == (is_file, is_foreign)


@pytest.mark.parametrize("text", ["=tfdata_tuned", " =tfdata_tuned"])
def test_an_equals_sign_without_a_label_before_it_is_refused(text: str) -> None:
    assert "expected a label before the =" in refused(text)


@pytest.mark.parametrize("text", ["", "mine=", ":photos"])
def test_a_spec_without_a_name_is_refused_with_the_form_that_is_expected(text: str) -> None:
    assert (
        "expected [label=]NAME[:knob=value,...], [label=]FILE.py:FUNCTION or"
        " [label=]PACKAGE.MODULE:FUNCTION"
    ) in refused(text)


def test_the_default_pipelines_can_all_be_built() -> None:
    specs = catalog.parse_all(catalog.DEFAULT_SPECS)
    assert [spec.label for spec in specs] == list(catalog.DEFAULT_SPECS)
    built = [catalog.load(spec) for spec in specs]
    assert len({type(pipeline) for pipeline in built}) == 5
    assert knobs.values(built[2])["cache"] == "none"
    assert knobs.values(built[3])["cache"] == "memory"


def test_two_pipelines_of_one_label_are_refused_and_a_label_is_proposed() -> None:
    assert "two pipelines have the label 'tfdata_naive'" in refused("tfdata_naive", "tfdata_naive")
    sentence = refused("one=tfdata_naive", "one=tfdata_tuned:cache=none")
    assert "two pipelines have the label 'one'" in sentence
    assert "-p again=tfdata_tuned:cache=none" in sentence


def test_one_pipeline_may_be_measured_twice_under_two_labels() -> None:
    specs = catalog.parse_all(("tfdata_naive", "again=tfdata_naive"))
    assert [spec.label for spec in specs] == ["tfdata_naive", "again"]
    assert specs[0].text == specs[1].text


def test_an_unknown_pipeline_names_the_nearest_known_one() -> None:
    sentence = refused("tfdata_tunned")
    assert "there is no pipeline 'tfdata_tunned'\nhint: did you mean tfdata_tuned?" in sentence
    assert "your own function is FILE.py:FUNCTION" in sentence


def test_a_pipeline_unlike_any_other_is_answered_with_all_there_are() -> None:
    assert "choose among image_data_generator, py_dataset, image_dataset_from_directory" in refused(
        "zzz"
    )


def test_an_unknown_knob_names_the_nearest_known_one() -> None:
    assert "no knob 'cahce'\nhint: did you mean cache?" in refused("tfdata_tuned:cahce=file")


def test_a_knob_unlike_any_other_is_answered_with_all_that_the_pipeline_has() -> None:
    assert "no knob 'zzz'; its knobs are: interpolation" in refused("image_data_generator:zzz=1")


@pytest.mark.parametrize(
    ("given", "accepts"),
    [
        ("parallel_calls=0", "a whole number from 1 to 1024, autotune or none; found '0'"),
        ("parallel_calls=1025", "a whole number from 1 to 1024, autotune or none; found '1025'"),
        ("prefetch=-1", "a whole number from 1 to 1024, autotune or none; found '-1'"),
        (
            "shuffle=half",
            "a whole number from 1 to 100000000, batches, full or none; found 'half'",
        ),
        ("cache_at=resized", "batched, decoded, delivered or encoded; found 'resized'"),
        ("cache=disk", "file, memory or none; found 'disk'"),
        ("cache=", "file, memory or none; found ''"),
        ("deterministic=maybe", "true or false; found 'maybe'"),
        ("dct=fast", "integer_accurate or integer_fast; found 'fast'"),
    ],
)
def test_a_knob_out_of_range_says_what_is_accepted(given: str, accepts: str) -> None:
    knob = given.partition("=")[0]
    assert f"{knob} expects {accepts}" in refused(f"tfdata_tuned:{given}")


@pytest.mark.parametrize("given", ["cache=file,cache=none", "cache=file, cache=none"])
def test_a_knob_given_twice_is_refused(given: str) -> None:
    assert "the knob cache is given twice" in refused(f"tfdata_tuned:{given}")


def test_a_knob_without_a_value_is_refused() -> None:
    assert "expected knob=value; found 'cache'" in refused("tfdata_tuned:cache")


def test_a_file_that_is_not_there_is_named_with_the_folder_it_was_sought_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"there is no file loader.py; the working directory is {tmp_path}" in refused(
        "loader.py:photos"
    )


@pytest.mark.parametrize("function", ["", "two words", "photos()", "1st"])
def test_what_cannot_be_the_name_of_a_function_is_refused(loader: Path, function: str) -> None:
    sentence = refused(f"{loader}:{function}")
    assert "expected FILE.py:FUNCTION, the name of a function" in sentence
    assert sentence.endswith(f"found {function!r}")


def test_reading_the_specs_imports_neither_tensorflow_nor_the_file_of_a_person(
    loader: Path,
) -> None:
    program = """
import sys
from feedbench.pipelines import catalog
catalog.parse_all((*catalog.DEFAULT_SPECS, f"mine={sys.argv[1]}:photos"))
print(*sys.modules)
"""
    command = [sys.executable, "-c", program, str(loader)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    imported = set(answer.stdout.split())
    assert "feedbench.pipelines.built_in.tfdata_tuned" in imported
    assert imported.isdisjoint({"tensorflow", "keras", "pandas", "loader"})


def test_the_built_in_names_come_before_those_that_packages_offer(install: Install) -> None:
    install("", zipped="Zipped", arrow="Arrow")
    assert catalog.names() == (*catalog.BUILT_IN, *catalog.PEERS, "arrow", "zipped")


def test_a_class_that_a_package_offers_takes_its_knobs(install: Install) -> None:
    install(PACKAGE, zipped="Zipped")
    for text, level in {"zipped": "low", "zipped:level=high": "high"}.items():
        (spec,) = catalog.parse_all((text,))
        assert knobs.values(catalog.load(spec)) == {"level": level}
    with pytest.raises(RequestError, match=r"level expects high or low; found 'deep'"):
        catalog.load(catalog.parse("zipped:level=deep"))


def test_a_class_that_a_package_offers_need_not_be_a_dataclass(install: Install) -> None:
    install(PACKAGE, plain="Plain")
    assert type(catalog.load(catalog.parse("plain"))).__name__ == "Plain"
    with pytest.raises(RequestError, match=r"plain has no knob 'level'; its knobs are: none"):
        catalog.load(catalog.parse("plain:level=high"))


def test_a_class_of_a_package_that_cannot_do_without_a_knob_says_so(install: Install) -> None:
    source = "from dataclasses import dataclass\n@dataclass\nclass Sized:\n    size: int\n"
    install(source, sized="Sized")
    assert knobs.values(catalog.load(catalog.parse("sized:size=3"))) == {"size": 3}
    with pytest.raises(RequestError, match=r"sized .*`size`"):
        catalog.load(catalog.parse("sized"))


def test_a_function_that_a_package_offers_is_a_pipeline_without_knobs(
    install: Install, tmp_path: Path
) -> None:
    install(PACKAGE, theirs="photos")
    (spec,) = catalog.parse_all(("theirs",))
    pipeline = catalog.load(spec)
    feed = pipeline.open(WORKLOAD, tmp_path, tmp_path)
    assert list(feed) == [(WORKLOAD.files, WORKLOAD.labels)]
    assert knobs.values(pipeline) == {}
    with pytest.raises(RequestError, match="is a function and has no knobs; found 'level=high'"):
        catalog.load(catalog.parse("theirs:level=high"))


def test_a_package_that_raises_on_import_is_found_out_when_loaded_and_not_before(
    install: Install,
) -> None:
    install("raise OSError('libmagic is missing')", magic="Magic")
    (spec,) = catalog.parse_all(("magic",))
    sentence = (
        "the pipeline magic (their_package:Magic) cannot be imported: OSError: libmagic is missing"
    )
    with pytest.raises(RequestError, match=re.escape(sentence)):
        catalog.load(spec)


def test_the_name_of_a_package_s_pipeline_is_proposed_too(install: Install) -> None:
    install(PACKAGE, zipped="Zipped")
    assert "did you mean zipped?" in refused("ziped")


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("threads", "threads", ""),
        ("threads:workers=2", "threads", "workers=2"),
        ("my@home/loader.py:photos", "my@home/loader.py", "photos"),
        ("package.module:photos", "package.module", "photos"),
    ],
)
def test_what_follows_the_at_sign_is_the_pipeline_s_own_python(
    text: str, name: str, argument: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    spec = catalog.parse(f"mine={text}@~/e@v/bin/python")
    assert (spec.label, spec.name, spec.argument) == ("mine", name, argument)
    assert (spec.text, spec.python) == (f"{text}@~/e@v/bin/python", "/home/me/e@v/bin/python")
    assert catalog.parse(text).python == ""


def test_a_program_on_the_path_is_an_own_python_too() -> None:
    assert catalog.parse("threads@sh").python == shutil.which("sh")


def test_an_at_sign_without_a_python_is_refused() -> None:
    with pytest.raises(RequestError, match="'threads@': expected a Python after the @\nhint: "):
        catalog.parse("threads@")


def test_only_its_own_python_knows_the_packages_of_a_pipeline() -> None:
    texts = ("a=their_package@/env/python", "b=their.module:photos@/env/python")
    assert [spec.label for spec in catalog.parse_all(texts)] == ["a", "b"]
    with pytest.raises(RequestError, match="there is no pipeline 'their_package'"):
        catalog.parse_all(("their_package",))


def test_a_pipeline_needs_tensorflow_unless_it_says_otherwise(tmp_path: Path) -> None:
    plain, lazy = tmp_path / "plain.py", tmp_path / "lazy.py"
    plain.write_text("import numpy\n")
    lazy.write_text("def photos(workload):\n    import tensorflow.data\n")
    texts = ("tfdata_tuned", "threads", "torch_dataloader:decoder=simplejpeg")
    assert [set(catalog.needs(catalog.parse(text))) for text in texts] == [
        {"tensorflow", "keras"},
        {"simplejpeg", "cv2"},
        {"torch", "torchvision", "simplejpeg"},
    ]
    assert catalog.needs(catalog.parse(f"{plain}:photos")) == {}
    assert catalog.needs(catalog.parse(f"{lazy}:photos")) == {"tensorflow": "tensorflow"}
    assert catalog.needs(catalog.parse("their.module:photos")) == {}
