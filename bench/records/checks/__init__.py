"""What gate, inspect, selftest and verify write."""
