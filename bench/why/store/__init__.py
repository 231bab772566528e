"""What the images' store can do: its latency, and the rate that no pipeline exceeds."""
