"""The engine process as seen from Blender; no bpy in here."""
