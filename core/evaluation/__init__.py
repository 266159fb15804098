"""Measuring motions: a text-motion evaluator, the field's metrics, physics, and one table of all.

Never part of the extension.  physics.py, joint_limits.py, metrics.py and table.py need numpy only.
"""
