"""What the tests of loaders of other libraries do first."""

from __future__ import annotations

import contextlib

# PyTorch may import it after TensorFlow, which crashes, as in bench/forkserver/server.py.
with contextlib.suppress(ImportError):
    import triton  # noqa: F401
