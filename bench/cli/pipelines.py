"""The command `feedbench pipelines`."""

from __future__ import annotations

from feedbench.bench.cli import options

_UNBROKEN = 1000  # columns, where the output is no terminal: grep finds a knob on one line


def pipelines(
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """List the pipelines that can be measured, with their knobs.

    \b
    Examples:
      feedbench pipelines
    """
    import shutil

    from feedbench.pipelines import catalog, knobs

    columns = shutil.get_terminal_size((_UNBROKEN, 1)).columns
    for name in catalog.names():
        if catalog.spec_of(name, name).is_foreign:
            print(f"{name}\n  offered by an installed package\n")
            continue
        kind = catalog.built_in(name)
        print(name)
        print(_indented((kind.__doc__ or "").splitlines()[0], 2, columns))
        for knob in knobs.knobs_of(kind):
            line = f"{knob.name}={knob.default}: {knob.meaning} ({knob.accepts})"
            print(_indented(line, 4, columns))
        print()


def _indented(line: str, by: int, columns: int) -> str:
    from textwrap import fill

    return fill(line, columns, initial_indent=" " * by, subsequent_indent=" " * 2 * by)
