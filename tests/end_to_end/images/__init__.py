"""What the command makes of the images that it is given, and of record files."""
