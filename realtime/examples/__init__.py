"""Examples of the library, one idea each: `python -m realtime.examples.one_picture photo.jpg`."""
