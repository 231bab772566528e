"""What is recorded of runs, gates, trainings and so on, claimed by a test instead of measured."""
