"""The graph that decodes a file, by real TensorFlow."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tensorflow


def test_the_graph_asks_for_the_format_only_where_it_may_matter() -> None:
    import tensorflow as tf

    from feedbench.pipelines.images.decoding import decoded

    def operations(formats: tuple[str, ...]) -> set[str]:
        decode = tf.function(lambda encoded: decoded(encoded, formats, "integer_accurate"))
        graph = decode.get_concrete_function(tf.TensorSpec([], tf.string)).graph
        return {operation.type for operation in graph.get_operations()}

    for undoubted in (("JPEG",), ("PNG",), ("JPEG", "PNG")):
        assert "DecodeJpeg" in operations(undoubted)
        assert not {"If", "StatelessIf"} & operations(undoubted)
    for mixed in ((), ("BMP", "JPEG"), ("GIF",), ("JPEG", "unknown")):
        assert {"If", "StatelessIf"} & operations(mixed)
