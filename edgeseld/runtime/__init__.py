"""What runs on the device, and its mirror in Python: bundles, backends, decoding, uncertainty, streaming. No torch."""
