"""The command `feedbench pipelines`."""

from __future__ import annotations

from feedbench.bench.cli import options


def pipelines(
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """List the pipelines that can be measured, with their knobs.

    \b
    Examples:
      feedbench pipelines
    """
    from feedbench.pipelines import catalog, knobs

    for name in catalog.names():
        if name not in catalog.BUILT_IN:
            print(f"{name}\n  offered by an installed package\n")
            continue
        kind = catalog.built_in(name)
        print(f"{name}\n  {(kind.__doc__ or '').splitlines()[0]}")
        for knob in knobs.knobs_of(kind):
            print(f"    {knob.name}={knob.default}: {knob.meaning} ({knob.accepts})")
        print()
