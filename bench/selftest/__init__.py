"""Pipelines of known behaviour, and whether this machine measures them correctly."""
