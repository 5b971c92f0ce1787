"""What pixels and images do differently, a room for each task."""
