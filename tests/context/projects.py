"""Projects for the tests of this folder."""


def write(root, files):
    """Write files of a project."""
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8", newline="")
