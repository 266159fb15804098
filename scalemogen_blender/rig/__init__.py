"""The rig that gets the motion, and the map from its bones to the model's joints."""
