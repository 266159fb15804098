#!/usr/bin/env python3
"""Start ScaleMoGen: makes the project's environment if it is missing, then runs what follows in it.

    python3 run.py generate "a person walks forward and waves" --seconds 4 --seed 1 --fbx walk.fbx
    python3 run.py test
    python3 run.py --help

This file has to be read by any Python 3, so that it can say which one is needed. The rest of the
launcher is in ``launcher/``. Both use the standard library only.
"""

import os
import subprocess
import sys

NEEDED = (3, 11)  # exactly: the bpy wheels exist for no other
ROOT = os.path.dirname(os.path.abspath(__file__))
HOW_TO_GET_PYTHON = """ScaleMoGen needs Python 3.11 (bpy exists for no other); this is %d.%d.
  Debian 12:        apt-get install python3.11 python3.11-venv
  Ubuntu, Fedora:   install the package python3.11, or use pyenv: pyenv install 3.11
  macOS:            brew install python@3.11
  Windows:          the Python 3.11 installer of python.org, or: winget install Python.Python.3.11
Then start this command again; python3.11 is found by itself once it is on the PATH."""


def python_commands():
    """Commands that may start the needed Python, likely ones first."""
    name = "python%d.%d" % NEEDED
    venv = os.environ.get("SCALEMOGEN_VENV") or os.path.join(ROOT, ".venv")
    commands = []
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        commands.append([os.path.join(folder, name)])
    if os.name == "nt":
        commands.append(["py", "-%d.%d" % NEEDED])
    # Last, because a repair replaces it.
    inside = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    commands.append([os.path.join(venv, *inside)])
    return commands


def is_needed_python(command):
    """Whether the command exists and really starts the needed version (a pyenv shim may not)."""
    if os.path.dirname(command[0]) and not os.path.exists(command[0]):
        return False
    question = "import sys; sys.exit(sys.version_info[:2] != (%d, %d))" % NEEDED
    try:
        with open(os.devnull, "w") as nowhere:
            return subprocess.call(command + ["-c", question], stdout=nowhere, stderr=nowhere) == 0
    except OSError:
        return False


def require_python(script, arguments):
    """Return under the needed Python; under another, start it on ``script`` or say what to get."""
    if sys.version_info[:2] == NEEDED:
        return
    for command in python_commands():
        if is_needed_python(command):
            command = command + [script] + list(arguments)
            if os.name == "nt":
                sys.exit(subprocess.call(command))
            os.execvp(command[0], command)
    sys.stderr.write(HOW_TO_GET_PYTHON % sys.version_info[:2] + "\n")
    sys.exit(2)


if __name__ == "__main__":
    require_python(os.path.abspath(__file__), sys.argv[1:])
    from launcher.main import main

    sys.exit(main(sys.argv[1:]))
