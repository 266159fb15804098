"""The engine's Python packages: installing, checking and repairing them.

Standard library only, because this runs before there is anything else: in ``run.py`` on a bare
machine, and in a process that the add-on starts with Blender's own Python.
"""

from . import builds, damage, environment, inquiry, install, place, processes, system

__all__ = [
    "builds",
    "damage",
    "environment",
    "inquiry",
    "install",
    "place",
    "processes",
    "system",
]
