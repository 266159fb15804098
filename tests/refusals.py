"""For scripts inside Blender: what the artist is told when something cannot be done."""

from collections.abc import Callable

from scalemogen_blender._core import errors


def refused(call: Callable[..., object], *arguments: object, **options: object) -> str:
    """The message of the error that the call ends with."""
    try:
        call(*arguments, **options)
    except (errors.ScaleMoGenError, RuntimeError) as error:
        return str(error)
    raise AssertionError("nothing was refused")
