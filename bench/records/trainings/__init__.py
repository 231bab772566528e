"""What train and watch write."""
