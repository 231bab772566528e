"""The interpreters of single pipelines, SPEC@PYTHON: what they must have, and their processes."""
