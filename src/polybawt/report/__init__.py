"""What a run did: bounded recording, summary, terminal text, and a self-contained page."""
