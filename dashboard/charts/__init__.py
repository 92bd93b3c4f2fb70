"""Charts as pure functions: frames and a theme in, one plotly figure out, each with a text that states its takeaway."""
