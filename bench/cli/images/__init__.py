"""The commands about images: inspect, photos and show."""
