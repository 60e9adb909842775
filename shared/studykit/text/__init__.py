"""Delimited text → Arrow columns, with the line of what is wrong."""
