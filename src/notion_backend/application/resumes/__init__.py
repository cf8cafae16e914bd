"""Which kind of résumé a file is."""
