"""The proof that all pipelines deliver the same images."""
