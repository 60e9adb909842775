"""Data sets by name: made or fetched, verified and kept; and the figures that papers printed."""
