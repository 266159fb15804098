"""The one global of the add-on: the engine client, its jobs and the timer that serves them."""
