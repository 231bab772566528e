"""What pipelines write in advance, and where it is kept."""
