"""How fast, and how large, in ratios to limits measured in the same run: ``python -m benchmarks``."""
