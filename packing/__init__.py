"""Putting the add-on, the engine, weights and text encoder into one zip that Blender installs."""
