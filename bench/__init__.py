"""Benchmarks that print ratios: each measures its reference in the same run and place."""
