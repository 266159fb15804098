"""How the model samples: properties that all panels and operators which ask the engine share."""

from typing import Any

import bpy

_UNSET = {"SKIP_SAVE"}  # what is not given comes from the panel, not from the last call


class SamplingSettings:
    """Mix-in of property groups."""

    use_custom_sampling: bpy.props.BoolProperty(
        name="Custom Sampling",
        description="Use the values below in place of the model's own",
    )
    guidance: bpy.props.FloatProperty(
        name="Guidance",
        description="How closely the motion follows the prompt; too much makes it stiff",
        min=0.0,
        max=50.0,
        soft_min=1.0,
        soft_max=10.0,
        default=3.0,
    )
    temperature: bpy.props.FloatProperty(
        name="Temperature",
        description="How much variations differ; too much makes them wild",
        min=0.0,
        max=10.0,
        soft_max=2.0,
        default=1.0,
    )
    cleanup: bpy.props.BoolProperty(
        name="Clean Up",
        description="Take out jitter and keep standing feet from sliding",
        default=True,
    )


class SamplingValues:
    """Mix-in of operators; what is not given comes from the panel."""

    guidance: bpy.props.FloatProperty(
        name="Guidance", min=0.0, max=50.0, default=3.0, options=_UNSET
    )
    temperature: bpy.props.FloatProperty(
        name="Temperature", min=0.0, max=10.0, default=1.0, options=_UNSET
    )
    cleanup: bpy.props.BoolProperty(name="Clean Up", default=True, options=_UNSET)


def chosen(settings: Any) -> dict[str, Any]:
    """Guidance, temperature (None: the model's own) and cleanup of a property group."""
    custom = settings.use_custom_sampling
    return {
        "guidance": settings.guidance if custom else None,
        "temperature": settings.temperature if custom else None,
        "cleanup": settings.cleanup,
    }
