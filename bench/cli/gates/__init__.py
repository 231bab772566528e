"""The commands that a build goes by: their exit code is an answer."""
