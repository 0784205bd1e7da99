"""What a results page says of how it was measured."""

from benchmarks.machine import command_line


def test_command_has_no_folders_of_this_machine():
    arguments = ["--json", "/home/me/t.json", "--server", "../llama-server", "--settings", '{"seed": 1}']
    assert command_line("benchmarks.people", arguments) == (
        """python -m benchmarks.people --json t.json --server llama-server --settings '{"seed": 1}'"""
    )
