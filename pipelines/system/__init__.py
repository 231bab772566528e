"""Processes and memory: signals, limits, cgroups, and workers that may crash."""
