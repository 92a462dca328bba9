"""Pixels: picture files, regions, segmentation, colours, the input of networks."""
