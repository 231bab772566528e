"""Equal work of augmented pipelines: images recognised through the transform drawn for each."""
