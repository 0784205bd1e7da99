"""What a user can set, where the values come from, and how they are merged."""
