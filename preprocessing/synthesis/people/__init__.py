"""Scenes of people to learn from: sprites, rooms, placement, cameras, rendering, and views."""
