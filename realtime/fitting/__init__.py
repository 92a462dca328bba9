"""What is fitted on the running app: fusion weights, training crops from clips."""
