"""Person tracker: which person of this frame is which of the frames before."""
