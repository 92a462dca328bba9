"""Classifiers of garments, on Fashion-MNIST and on photos."""
