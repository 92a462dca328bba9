"""Published weight files as the app runs them. Imports no torch."""
