"""The open forecast hub: other teams' forecasts in hubverse's format, checked, scored on the same rows and combined."""
