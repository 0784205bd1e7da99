"""What `make vsix` prints."""

import os
import subprocess

from workbench import ROOT, SECONDS


def test_building_the_extension_prints_a_few_lines(vsix):
    # The make that runs these tests would otherwise be taken for its parent, and say which folder it enters.
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    run = subprocess.run(
        ["make", "vsix"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    said = run.stdout.splitlines()
    assert len(said) <= 5, run.stdout
    assert said[-1].startswith("Built build/aide.vsix")
