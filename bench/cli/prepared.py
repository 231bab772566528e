"""The command `feedbench prepared`."""

from __future__ import annotations

from feedbench.bench.cli import options
from feedbench.bench.options.option import Given, options_of, value_of
from feedbench.bench.options.run_options import RunOptions


@options.takes(options_of(RunOptions, "prepared"))
def prepared(
    *,
    given: Given,
    clear: options.Clear = False,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """List what pipelines have written beforehand, such as record files, or clear it.

    A run that takes the same images with the same knobs finds it again.

    \b
    Examples:
      feedbench prepared
      feedbench prepared --clear
    """
    from feedbench.bench.prepared.preparation import listing
    from feedbench.bench.prepared.store import Store

    store = Store(value_of(RunOptions, "prepared", given))
    print("\n".join(listing(store)))
    if clear:
        store.clear()
        print("All of it is removed.")
