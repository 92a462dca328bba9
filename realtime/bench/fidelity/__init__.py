"""Videos of every kind through the app and other programs: what they keep, what they lose."""
