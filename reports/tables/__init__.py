"""A run's rows as tables: frames, columns, and whether they are sound."""
