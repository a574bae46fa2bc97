"""Measuring: accuracy on data sets, latency and memory on host, device and emulated ARM."""
