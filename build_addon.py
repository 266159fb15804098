#!/usr/bin/env python3
"""Build the Blender extension's zip: python3 build_addon.py --out dist

As ``run.py``, this file has to be read by any Python 3; the work is done in ``packing/``.
"""

import os
import sys

from run import require_python

if __name__ == "__main__":
    require_python(os.path.abspath(__file__), sys.argv[1:])
    from packing.main import main

    sys.exit(main(sys.argv[1:]))
