"""Pipelines whose behaviour is known, and whether this machine measures them so."""
