"""One presenter: a release goes in; numbers, sentences, windows and citations come out, in a reader's language."""
