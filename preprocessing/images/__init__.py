"""Pixels: reading pictures, regions, segmentation, colours, the input of networks."""
