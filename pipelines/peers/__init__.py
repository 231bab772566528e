"""Loaders of other libraries as pipelines: each in a file, its library imported inside `open`."""
