"""Core ML programs (MIL) without a Mac: read from the saved package and interpreted in numpy."""
