"""Colours of coded pictures: matrix, range, HDR."""
