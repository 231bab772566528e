"""resume.json: the request, and the state of the images and the software.

A run is resumed only if none of it has changed. The process that measures locks the file. JSON by
the standard library, which keeps names that are not valid UTF-8.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path, PurePath
from typing import NoReturn

import msgspec

from feedbench.bench.files import write_whole
from feedbench.bench.machine import environment
from feedbench.bench.machine.software import software
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.interpreters.interpreter import described
from feedbench.bench.processes.other_python import arms, look
from feedbench.bench.records.conditions.environment import Other
from feedbench.bench.records.run import RunRecord
from feedbench.bench.run.resuming import trust
from feedbench.bench.run.sources import Status, sources_of, statuses_of
from feedbench.bench.text import listed
from feedbench.pipelines import user_modules
from feedbench.pipelines.catalog import GROUP, Spec, parse, parse_all, source_file
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import image_id
from feedbench.pipelines.networks.spec import parse_model
from feedbench.pipelines.remote.address import absolute, restored
from feedbench.pipelines.remote.reading import is_refused, stamps_or_errors
from feedbench.pipelines.system.regular_files import open_regular, read_regular

NAME = "resume.json"
START_NEW = "start a new run"
_SCHEMA = 2
_DIGEST_LENGTH = len(hashlib.sha256().hexdigest())


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """resume.json: the request, and the state of the images and the software."""

    schema: int = _SCHEMA
    options: RunOptions
    began_in: str  # the folder that loaders' files may be relative to
    software: dict[str, str]  # versions, digests and the machine, each by its name
    pipelines: dict[str, str]  # users' pipelines by label: a digest of the file, or a version
    files: list[Status]  # of each file read
    against: str = ""  # the other environment's interpreter
    is_made_here: bool = False  # not in the file: its signature is this user's


def write(
    folder: Path,
    options: RunOptions,
    workload: Workload | None,
    other: Other | None,
    interpreters: Sequence[Other] = (),
    listed: Sequence[Status | None] = (),
) -> Basis:
    """Write resume.json, which a resumption needs, and return it.

    `workload` is None while a run is prepared. `other` is the other environment, and
    `interpreters` are those of single pipelines. `listed` are the states of the workload's files in
    a store, as it listed them.
    """
    basis = Basis(
        options=dataclasses.replace(
            options, folder=absolute(options.folder), prepared=options.prepared.absolute()
        ),
        began_in=os.getcwd(),  # noqa: PTH109 - a name may not be valid UTF-8
        software=_software(other, interpreters),
        pipelines=_pipelines(options),
        files=[] if workload is None else statuses_of(workload, listed),
        against="" if other is None else other.python,
    )
    content = msgspec.to_builtins(basis, enc_hook=os.fspath)
    del content["options"]["begun"], content["is_made_here"]
    content["signature"] = trust.signature(content)
    write_whole(folder / NAME, json.dumps(content).encode("ascii"))
    return basis


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let no other process resume this run. Raises RequestError if one is measuring it.

    If there is no file to lock, `read` reports what is wrong.
    """
    try:
        # To lock it, NFS wants it open for writing.
        opened = os.fdopen(open_regular(folder / NAME, os.O_RDWR), "r+b")
    except OSError:
        yield
        return
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RequestError(
                f"cannot resume {folder}: another process is measuring this run",
                hint="wait until it has ended",
            ) from None
        except OSError:
            pass  # a file system without locks
        yield


def read_basis(file: Path) -> Basis:
    """Read resume.json. Raises RequestError if it is missing, broken, or of another schema."""
    try:
        content = json.loads(read_regular(file).decode("ascii"), parse_constant=_no_number)
    except OSError as error:
        raise RequestError(
            f"cannot resume {file.parent}: {file} cannot be read ({error.strerror})",
            hint=START_NEW,
        ) from error
    except (ValueError, RecursionError) as error:
        raise broken(file, error) from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != _SCHEMA:
        raise RequestError(
            f"cannot resume {file.parent}: {file} has schema {schema!r}; expected {_SCHEMA}",
            hint=START_NEW,
        )
    signed = content.pop("signature", None)
    content["is_made_here"] = trust.is_signed(content, signed)
    try:
        return msgspec.convert(content, Basis, dec_hook=_folder)
    except (ValueError, TypeError) as error:  # msgspec's own are ValueErrors
        raise broken(file, error) from error


def _folder(kind: type, value: str) -> PurePath:
    """Return a folder as the option of this type has it: of the photos, it may be an address."""
    return restored(value) if kind is PurePath else Path(value)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of a run")


def broken(file: Path, error: Exception) -> RequestError:
    """Return the error of a resume.json that cannot be used."""
    return RequestError(f"cannot resume {file.parent}: {file} is broken: {error}", hint=START_NEW)


def changes(basis: Basis, run: RunRecord, workload: Workload) -> Iterator[str]:
    """Yield what has changed, as clauses: the software first, and then the images."""
    other = None if run.against is None else look(run.against.python)
    interpreters = described(parse_all(basis.options.specs))
    yield from _differences(basis.software, _software(other, interpreters))
    yield from _differences(basis.pipelines, _pipelines(basis.options))
    files = sources_of(workload)
    for file, before, now in zip(files, basis.files, stamps_or_errors(files), strict=True):
        if isinstance(now, OSError):
            refused = is_refused(file, now)
            yield f"{image_id(file)} {f'cannot be read: {now.strerror}' if refused else 'is gone'}"
        elif now != before:
            yield f"{image_id(file)} has changed"


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in [*before, *(now.keys() - before.keys())]:
        was, is_now = before.get(name, "missing"), now.get(name, "missing")
        if was != is_now:
            are_digests = len(was) == len(is_now) == _DIGEST_LENGTH
            yield f"{name} has changed" if are_digests else f"{name} was {was} and is now {is_now}"


def _software(other: Other | None, interpreters: Sequence[Other]) -> dict[str, str]:
    """Return the machine and the software: versions, and digests of Feedbench's own code."""
    here = environment.describe()
    machine = {"system": here.system, "processor": here.processor, "cores": f"{here.cores}"}
    there = {} if other is None else _there(other.name, other)
    for each in interpreters:
        there |= _there(image_id(each.python), each)
    versions = {"python": here.python} | here.packages | software()
    return machine | versions | there


def _there(name: str, other: Other) -> dict[str, str]:
    """Return the software of another environment."""
    versions = {"python": other.environment.python, "feedbench": other.code}
    versions |= other.environment.packages
    return {f"in {name} {package}": version for package, version in versions.items()}


def _pipelines(options: RunOptions) -> dict[str, str]:
    """Return a digest or a version of each user's pipeline, by label, to detect changes.

    The model's file is among them.
    """
    specs = [spec for spec in parse_all(options.specs) if spec.is_foreign]
    identities = {image_id(spec.label): _identity(spec) for spec in specs}
    if options.model is not None and (file := parse_model(options.model).file):
        digest = hashlib.sha256(read_regular(Path(file))).hexdigest()
        identities[f"--model {image_id(options.model)}"] = digest
    return identities


def _identity(spec: Spec) -> str:
    if spec.is_file or spec.is_module:
        file = source_file(spec)
        return "missing" if file is None else hashlib.sha256(read_regular(file)).hexdigest()
    for entry_point in entry_points(group=GROUP, name=spec.name):
        return f"{entry_point.value} {entry_point.dist.version if entry_point.dist else ''}"
    return "missing"


def refuse_unlike(folder: Path, basis: Basis, run: RunRecord) -> None:
    """Raise RequestError if run.json is not of the run that resume.json asks for."""
    if run.blocks < 0:
        raise RequestError(
            f"cannot resume {folder}: {folder / 'run.json'} is broken: blocks is {run.blocks};"
            " expected 0 or more",
            hint=START_NEW,
        )
    specs = arms(parse_all(basis.options.specs), run.against)
    measured = {pipeline.label for pipeline in run.pipelines}
    if not specs or len(specs) < len(measured):
        raise RequestError(
            f"cannot resume {folder}: {NAME} asks for {listed([*specs]) or 'no pipeline'};"
            f" run.json has {listed(sorted(measured)) or 'none'}",
            hint=START_NEW,
        )


def refuse_elsewhere(folder: Path, basis: Basis) -> None:
    """Raise RequestError if loaders' files have paths relative to another folder than this."""
    here = os.getcwd()  # noqa: PTH109 - a name may not be valid UTF-8
    specs = [parse(text) for text in basis.options.specs]
    if any(_is_named_from(basis.began_in, spec) for spec in specs) and here != basis.began_in:
        raise RequestError(
            f"cannot resume {folder} in this folder: its pipelines' files are relative to"
            f" {image_id(basis.began_in)}",
            hint=f"cd {shlex.quote(image_id(basis.began_in))} and resume it there",
        )


def _is_named_from(folder: str, spec: Spec) -> bool:
    """Return whether a SPEC means a file or a module of this folder."""
    if spec.is_module:
        return user_modules.find(spec.name.partition(".")[0], [folder]) is not None
    return spec.is_file and not Path(spec.name).is_absolute()
