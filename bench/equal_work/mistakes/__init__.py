"""Known mistakes, which a report names if a pipeline's images do not match the references."""
