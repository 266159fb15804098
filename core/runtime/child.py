"""Run a Python module, and end at once when whoever started this process is gone.

Started as a file: ``python -I child.py FOLDER MODULE [ARGUMENT …]`` with the lifeline on stdin.
FOLDER comes onto the path first (a folder of pip's code, say); "" adds none. Without this, killing
the installer would leave pip writing into the environment that the next one repairs.
"""

import os
import runpy
import sys
import threading


def watch_lifeline() -> None:
    """End this process when stdin comes to its end."""

    def watch() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass
        os._exit(3)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def main() -> None:
    """Run what the command line names."""
    folder, module, *arguments = sys.argv[1:]
    watch_lifeline()
    if folder:
        sys.path.insert(0, folder)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
