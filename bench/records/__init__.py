"""The records that runs write, and the messages between processes."""
