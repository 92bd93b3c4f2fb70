"""Groups of commands of ``vigie``, each in a module of its own."""
