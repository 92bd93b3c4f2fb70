"""What is written about an alert: texts, mail, CAP, Atom and the picture. Nothing is sent here."""
