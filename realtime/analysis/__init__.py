"""What is done to a frame: motion gate, locator, tracker, classifier, fusion."""
