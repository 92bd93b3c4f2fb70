"""One module per page, run by app.py through st.navigation."""
