"""Inference of published weight files, as the app runs them; a test keeps torch out."""
