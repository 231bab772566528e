"""The computer itself: its cores, speed probe, meters, page cache and versions."""
