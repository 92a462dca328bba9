"""The app as a library: `from realtime import Recogniser`. The command line is one of its users.

assemble.py turns settings into analyses, recogniser.py runs them on pictures and sources, and
garments.py holds the answers.
"""
