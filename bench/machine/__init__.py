"""The machine: its cores, speed probe, meters, page cache and versions."""
