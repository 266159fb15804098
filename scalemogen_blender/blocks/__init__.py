"""Motion blocks: prompts one after the other on the timeline, as one motion of any length."""
