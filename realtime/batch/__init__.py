"""Many sources in one command: several at once, archives on Ray."""
