"""The engine's Python: finding, installing and checking it."""
