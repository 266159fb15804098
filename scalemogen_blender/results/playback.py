"""The timeline: started for a preview, and stopped if it was we who started it."""

import bpy


def start(scene: bpy.types.Scene) -> bool:
    """Let the timeline run in a window that shows the scene; True if it did not run before."""
    if bpy.app.background or is_running():
        return False
    windows = bpy.context.window_manager.windows
    window = next((window for window in windows if window.scene == scene), None)
    return window is not None and _toggle(window)


def stop() -> bool:
    """Let the timeline stand where it is; True if it was running."""
    if bpy.app.background:
        return False
    running = [w for w in bpy.context.window_manager.windows if w.screen.is_animation_playing]
    stopped = [_toggle(window) for window in running]
    return any(stopped)


def is_running() -> bool:
    """Whether the timeline runs in any window."""
    manager = bpy.context.window_manager
    return any(window.screen.is_animation_playing for window in manager.windows)


def _toggle(window: bpy.types.Window) -> bool:
    """Start or stop in a 3D viewport, whose neighbours are redrawn, too."""
    areas = sorted(window.screen.areas, key=lambda area: area.type != "VIEW_3D")
    region = next((r for r in areas[0].regions if r.type == "WINDOW"), None) if areas else None
    if region is None:
        return False
    with bpy.context.temp_override(window=window, area=areas[0], region=region):
        if not bpy.ops.screen.animation_play.poll():
            return False
        bpy.ops.screen.animation_play()
    return True
