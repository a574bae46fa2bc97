"""Audio reading, channel formats and reference features, in numpy alone."""
