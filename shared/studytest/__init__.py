"""What the tests of all studies share."""
