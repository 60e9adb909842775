"""What this machine and this study's libraries can do, and how to mend what they cannot."""
