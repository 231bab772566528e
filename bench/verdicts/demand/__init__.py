"""Whether a model waits for its input, and which pipeline is enough. Pure."""
