"""How much text of other files of the project helps, on places where a name of another file is wanted."""
