"""Tasks: segmentation labels pixels, classification labels whole images."""
