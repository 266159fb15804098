"""Materials for viewport and export."""

import bpy


def set_base_colour(material: bpy.types.Material, colour: tuple[float, float, float]) -> None:
    """Colour for the solid viewport and, through the shader, for FBX and glTF."""
    material.diffuse_color = (*colour, 1.0)
    if not material.node_tree:  # later versions always have nodes
        material.use_nodes = True
    for node in material.node_tree.nodes:
        if node.type == "BSDF_PRINCIPLED":
            node.inputs["Base Color"].default_value = (*colour, 1.0)
            node.inputs["Roughness"].default_value = 0.6
