"""What happens inside a process that trains a model through one pipeline."""
