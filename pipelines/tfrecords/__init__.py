"""TFRecord files: their format, and how Feedbench writes its own."""
