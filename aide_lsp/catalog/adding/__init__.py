"""What a new model is, what it will cost, and its card: everything before it is downloaded."""
