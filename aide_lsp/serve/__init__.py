"""`aide serve`: one loaded model for several programs, over HTTP."""
