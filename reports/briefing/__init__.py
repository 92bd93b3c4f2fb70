"""What a release says in short: figures by route, what changed, and the one-page briefing. Frames in, bytes out."""
