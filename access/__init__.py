"""Who may read, do and take away what: logins, roles, the gate before the pages, and the audit rows they leave.

Free of streamlit: what the gate must know of the program behind it is handed to it as :class:`access.gate.Application`.
"""
