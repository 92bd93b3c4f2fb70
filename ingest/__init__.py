"""From published files to validated observations. One module per source; nothing here writes."""
