"""What is going on with the runtime: the installation under way, and what is known by now."""

from __future__ import annotations

from .._core import errors
from .._core import runtime as core_runtime
from . import blender_python, place
from .checking import Check, Checker, Findings
from .installation import Installation, Outcome

checker = Checker()
_installation: Installation | None = None
_failure = ""


def installation() -> Installation | None:
    """The one that is running."""
    settle()
    return _installation


def failure() -> str:
    """Why the last one did not come to its end; "" after a good one."""
    settle()
    return _failure


def begin(job: core_runtime.install.Job) -> Installation:
    """Start one.

    ScaleMoGenError when one is running, or Blender's Python cannot be started.
    """
    global _installation, _failure
    if installation() is not None:
        raise errors.ScaleMoGenError("The runtime is being installed already. Wait, or cancel it.")
    _failure = ""
    python = blender_python.interpreter()
    try:
        _installation = Installation(python, job)
    except OSError as error:
        raise errors.ScaleMoGenError(
            f"Blender's Python cannot be started ({python}: {error.strerror}). Choose Existing "
            "Python in the add-on's preferences."
        ) from error
    return _installation


def settle() -> None:
    """Take over the result of one that has ended."""
    global _installation, _failure
    ended = _installation
    if ended is None or ended.outcome is Outcome.RUNNING:
        return
    _installation = None
    if ended.outcome is not Outcome.DONE:
        _failure = ended.message
        return
    _failure = ""
    details = ended.details
    findings = Findings(
        version=tuple(details["version"]),
        packages=details["packages"],
        build=details["build"],
        engine=details["engine"],
        devices=tuple(details["devices"]),
    )
    python = core_runtime.place.Path(details["python"])
    checker.remember(python, Check(findings), place.checks_file())


def busy() -> bool:
    """Whether something is going on that changes what panels show."""
    return installation() is not None or checker.running()


def close() -> None:
    """End what is running; for the end of the add-on."""
    global _installation
    running, _installation = _installation, None
    if running is not None:
        running.cancel()
        running.wait(3.0)
