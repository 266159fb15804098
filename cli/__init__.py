"""The command line: thin shells around core and scalemogen_blender, one file per command."""
