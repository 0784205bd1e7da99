"""Files that are being written: is what fits shown there, and what does not fit rejected?"""
