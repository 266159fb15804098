"""The coarse motion as a small armature in the viewport while the engine refines it.

Drawn, never an object in the artist's file.
"""
