"""DeepFashion's benchmarks: category, attributes, box and landmarks, in one network."""
