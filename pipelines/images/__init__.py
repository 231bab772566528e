"""A folder's images and labels, the formats they have, and sample photos."""
