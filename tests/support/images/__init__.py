"""Image and record files, and what a workload asks for, computed without TensorFlow."""
