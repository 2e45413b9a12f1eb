"""The Textual application. Renders the state of a run and sends intents; nothing else."""
