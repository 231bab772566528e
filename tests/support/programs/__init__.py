"""Programs that tests start: the command, servers, trials and misbehaving processes."""
