"""The one exception type of the engine."""


class ScaleMoGenError(Exception):
    """Something the user can put right.  The message is one line and names the remedy."""
