"""The options of commands next to those of run: gate, train and tune."""
