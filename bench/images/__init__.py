"""Which image files are fit to be measured."""
