"""What goes in comes out: videos of every kind through the app and through other programs."""
