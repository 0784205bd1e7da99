"""Looks at a finished text before it is shown: is it fit to be inserted at the cursor?"""
