"""Records → charts → one self-contained HTML page."""
