"""TFRecord files that a user keeps: what goes into each, and what writes them."""
