"""TFRecord files as pipelines: written by Feedbench, or the user's own."""
