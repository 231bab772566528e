"""Runs of loaders that people wrote themselves."""
