"""A model that takes a pipeline's batches, real or emulated, and how long it waits for them."""
