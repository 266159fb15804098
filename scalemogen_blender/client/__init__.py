"""The engine process as seen from Blender; no bpy in here, and nothing that makes the caller wait.

docs/protocol.md tells how the two talk and what becomes of requests when something goes wrong.
"""

from .engine_client import EngineClient, Patience
from .state import State

__all__ = ["EngineClient", "Patience", "State"]
