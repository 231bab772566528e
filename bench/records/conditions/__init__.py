"""The conditions of a trial: the machine, its calm, its page cache, and the trial's usage."""
