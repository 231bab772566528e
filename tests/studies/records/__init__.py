"""How fast record files are written."""
