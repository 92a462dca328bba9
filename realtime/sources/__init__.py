"""Where frames come from: files, streams, cameras, pictures."""

from pathlib import Path

DEMO = Path(__file__).with_name("demo.mp4")  # the bundled clip
