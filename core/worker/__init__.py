"""The engine as a process of its own: ``python -m core.worker``, spoken to over stdin and stdout.

docs/protocol.md tells what is said.  Nothing here imports torch before :mod:`.loading` is asked
to, so that a worker without its packages can still say what is missing.
"""
