"""scaling.json: how a rate grows with workers and cores."""
