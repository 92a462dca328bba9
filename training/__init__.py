"""Everything that makes or judges a weight file."""
