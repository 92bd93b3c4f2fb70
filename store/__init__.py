"""The only room that writes: vintages, backtests, releases and the journal."""
