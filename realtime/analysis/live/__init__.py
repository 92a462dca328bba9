"""Live analysis: frames are drawn as they come, and analysed beside that."""
