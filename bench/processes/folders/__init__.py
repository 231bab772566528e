"""The folders and the logs of trials."""
