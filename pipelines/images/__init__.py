"""A folder's images and labels, how they are decoded and checked, and sample photos."""
