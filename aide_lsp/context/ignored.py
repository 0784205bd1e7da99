"""Which files of the project Git ignores: by the .gitignore files in it, and its list of what is excluded.

Others, such as the user's own list for all repositories, are not in the project, and differ between machines.
"""

from typing import TYPE_CHECKING

from aide_lsp.context.project_view import ProjectView

if TYPE_CHECKING:
    from aide_lsp.context.ignore_file import IgnoreFile

IGNORE = ".gitignore"
EXCLUDE = ".git/info/exclude"


class IgnoreRules:
    """Which files of the project are ignored, as one selection sees it."""

    def __init__(self, view: ProjectView) -> None:
        self._view = view
        self._folders: dict[str, str] = {"": ""}

    def reason(self, path: str) -> str:
        """Say why a file is ignored; empty: it is not."""
        return self._folder_reason(path.rpartition("/")[0]) or self._own_reason(path)

    def _folder_reason(self, folder: str) -> str:
        """As `reason`. What is in a folder that is ignored cannot be excepted."""
        if folder not in self._folders:
            above = self._folder_reason(folder.rpartition("/")[0])
            self._folders[folder] = above or self._own_reason(folder + "/")
        return self._folders[folder]

    def _own_reason(self, path: str) -> str:
        """Ask the files that may speak of a path: the nearest that does decides."""
        folder = path.rstrip("/")
        while folder:
            folder = folder.rpartition("/")[0]
            inside = folder + "/" if folder else ""
            for place in (inside + IGNORE, *([EXCLUDE] if not folder else [])):
                file = self._file(place)
                if file is not None and file.problem:
                    return f"{place} cannot be followed: {file.problem}"
                if file is not None and (ignores := file.ignores(path.removeprefix(inside))) is not None:
                    return f"it is ignored by {place}" if ignores else ""
        return ""

    def _file(self, path: str) -> "IgnoreFile | None":
        look = self._view.read(path)
        if look is None:
            return None
        from aide_lsp.context.ignore_file import IgnoreFile

        return look.derived(IgnoreFile) if look.text is not None else IgnoreFile("", look.problem)
