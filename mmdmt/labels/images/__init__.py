"""Classification: an image has one label, its class."""
