"""What the engine has made: a list to play on the rig, accept and reject."""
