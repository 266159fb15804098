"""The ScaleMoGen engine: text to motion without Blender.

Nothing in here imports bpy.  Torch is confined to :mod:`core.model`, :mod:`core.training` and
:mod:`core.text`, so that the add-on can use skeletons, rotations and retargeting inside Blender,
where torch is absent.
"""

__version__ = "0.1.0"
