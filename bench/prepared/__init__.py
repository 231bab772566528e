"""The files that pipelines write in advance, and the store that keeps them."""
