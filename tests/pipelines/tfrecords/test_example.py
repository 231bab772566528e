"""A record's bytes are those of TensorFlow's own tf.train.Example."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedbench.pipelines.tfrecords.example import example


def test_a_record_has_the_features_in_the_order_of_their_names() -> None:
    record = example(b"\xff\xd8", 300, b"a/1.jpg")
    features = b"".join(
        [
            b"\n\x11\n\x02id\x12\x0b\n\t\n\x07a/1.jpg",
            b"\n\x13\n\timage_raw\x12\x06\n\x04\n\x02\xff\xd8",
            b"\n\x0f\n\x05label\x12\x06\x1a\x04\n\x02\xac\x02",
        ]
    )
    assert record == b"\n\x39" + features


@pytest.mark.tensorflow
@pytest.mark.thorough
@settings(deadline=None)
@given(
    length=st.sampled_from([0, 1, 127, 128, 16_383, 16_384, 70_000]),
    label=st.integers(0, 2**31 - 1),
    name=st.binary(max_size=300),
)
def test_a_record_is_what_tensorflow_makes_of_the_same_values(
    length: int, label: int, name: bytes
) -> None:
    import tensorflow as tf

    image = bytes(range(256)) * (length // 256 + 1)
    image = image[:length]
    features = {
        "id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[name])),
        "image_raw": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    theirs = tf.train.Example(features=tf.train.Features(feature=features))
    expected = theirs.SerializeToString(deterministic=True)
    assert example(image, label, name) == example(memoryview(image), label, name) == expected
