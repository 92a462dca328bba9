"""The live app; its folder listing is the way of a frame, from sources.py to sinks.py."""
