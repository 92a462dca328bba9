"""Pictures made from parts of others: cut-outs, backgrounds, occlusions, camera effects."""
