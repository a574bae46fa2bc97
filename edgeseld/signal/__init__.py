"""Audio reading, channel formats and reference features, in numpy alone but for `compiled`, which needs numba."""
