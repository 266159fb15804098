"""Edits by text, judged: probes, geometric judges, borders, feet, seams, and two rules compared."""
