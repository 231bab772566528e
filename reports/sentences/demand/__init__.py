"""Sentences on a model and its input: whether it waits, and which pipeline is enough."""
