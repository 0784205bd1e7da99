"""Downloads a source distribution with pip's own settings, without running any of its code.

python pip_sdist.py NAME VERSION     # into the current folder
"""

import sys
from pathlib import Path

from pip._internal.commands import create_command


def main() -> None:
    """Download it; pip's finder and session honor the user's index settings, and no host is named here."""
    name, version = sys.argv[1:]
    command = create_command("download")
    options, _ = command.parse_args(["--no-binary=:all:", "--quiet", name])
    with command.main_context():
        session = command.get_default_session(options)  # type: ignore[attr-defined]
        finder = command._build_package_finder(options, session)  # type: ignore[attr-defined]
        found = [one.link for one in finder.find_all_candidates(name) if str(one.version) == version]
        links = [link for link in found if link.filename.endswith(".tar.gz")]
        if not links:
            raise SystemExit(f"The package index has no source distribution of {name} {version}.")
        # As it is: a decompressed file would have another hash.
        headers = {"Accept-Encoding": "identity"}
        answer = session.get(links[0].url_without_fragment, headers=headers, timeout=60)
        answer.raise_for_status()
        Path(links[0].filename).write_bytes(answer.content)


if __name__ == "__main__":
    main()
