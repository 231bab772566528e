"""The pipelines of Keras' own datasets, and what they are made of."""
