"""Where models come from: model cards, download, conversion, what is on the disk."""
