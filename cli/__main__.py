"""``python -m cli COMMAND …``."""

import sys

from cli.dispatch import leave, main

if __name__ == "__main__":
    leave(main(sys.argv[1:]))
