"""The commands for files that are written in advance."""
