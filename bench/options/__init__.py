"""The options of a run, each declared once for all front doors."""
