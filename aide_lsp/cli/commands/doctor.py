"""`aide doctor`: prints the findings of the checks."""

import sys

import click

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.options import json_option, lenient_settings
from aide_lsp.cli.terminal import say


@click.command()
@json_option("the findings")
@click.option("--quick", is_flag=True, help="Skip the self-test, which loads the model or asks its server.")
def doctor(as_json: bool, quick: bool) -> None:
    """Diagnose the installation and suggest fixes.

    Checks ONNX Runtime, the settings file, the model's files and the free memory, then loads the model and
    times a completion. If a server runs the model, it is checked instead. The exit status is 1 if a check
    fails.
    """
    from aide_lsp.cli.checks import examine

    findings = []
    for finding in examine(lenient_settings(), quick):
        findings.append(finding)
        if not as_json:
            say(finding.line())
    if as_json:
        say(json_text([finding.as_dict() for finding in findings]))
    if any(finding.level == "fail" for finding in findings):
        sys.exit(1)
