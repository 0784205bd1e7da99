"""How completions do in holes that are cut into files of published packages."""
