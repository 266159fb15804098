"""Bake & Export: a motion onto the rig's action and into files."""
