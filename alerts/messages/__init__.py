"""What is written to people and machines about an alert: texts, mail, CAP, Atom and the picture. Nothing is sent here."""
