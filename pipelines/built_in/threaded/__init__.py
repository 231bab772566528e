"""Threads in place of tf.data: a decoder and a resize that need no Python while they work."""
