"""A comparison: engines and peers in interleaved rounds, and the ratios of their times."""
