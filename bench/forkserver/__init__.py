"""The process that imports TensorFlow, and forks and performs trials."""
