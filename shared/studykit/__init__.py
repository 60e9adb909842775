"""The thin library under every study: storage, phases, memory, records, engines, command line."""
