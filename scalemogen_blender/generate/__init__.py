"""From a prompt to a job of the engine: settings, panel, operators."""
