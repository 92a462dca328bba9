"""Zones and lines of the picture: who enters, leaves and crosses them, and what breaks a rule."""
