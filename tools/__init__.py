"""Programs for developers. Not in the wheel."""
