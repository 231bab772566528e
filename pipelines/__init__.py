"""What is measured: contract, image index, pipelines. Knows nothing of the harness."""
