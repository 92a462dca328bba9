"""Commands that need the app's locators: they fit fusion weights, and crop training clips."""
