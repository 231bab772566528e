"""The user's own TFRecord files: which they are, what is in them, and their images as files."""
