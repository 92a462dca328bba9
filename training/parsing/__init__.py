"""The garment parser: a class for every pixel, from photos of worn and of single clothes."""
