"""The live page: the labelled stream in a browser, with its controls."""
