"""Processes and memory: signals, limits, and workers that may crash."""
