"""The app as a library: `from realtime import Recogniser`. The command line is one of its users.

assemble.py turns settings into analyses, pipeline.py runs one over a source into sinks,
recogniser.py does both for callers, and garments.py holds the answers.
"""
