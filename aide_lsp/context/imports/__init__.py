"""Which files of the project a text imports: a module for each family of languages, a table of the rest."""
