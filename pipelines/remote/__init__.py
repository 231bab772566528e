"""Photos in object storage: their addresses, how they are listed and read. By fsspec."""
