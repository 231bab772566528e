"""Feedbench: the fastest way to feed images to a TensorFlow model on this machine, and why.

A training script uses two names of it. `watch` wraps an iterable of batches, and `WatchCallback` is
a callback for Keras' `fit`. Both report how long each step waited for its input.
"""

TYPE_CHECKING = False  # mypy knows the name; importing `typing` takes milliseconds
if TYPE_CHECKING:
    from feedbench.bench.watching.callback import WatchCallback
    from feedbench.bench.watching.watch import watch

__all__ = ["WatchCallback", "watch"]

if not TYPE_CHECKING:  # so that mypy knows no other names
    _PLACES = {"WatchCallback": "callback", "watch": "watch"}

    def __getattr__(name: str) -> object:
        """Import a public name when it is asked for: `import feedbench` loads nothing."""
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"feedbench.bench.watching.{_PLACES[name]}"), name)
