"""Editing the animation that a rig has: selected bones in selected frames, and nothing else."""
