"""What a person sees: types in real editors, and notes every change of the ghost text on the screen."""
