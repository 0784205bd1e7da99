"""What a model needs against what the system's limits leave."""

import re
import sys

import pytest

from aide_lsp.inference import memory
from aide_lsp.inference.memory import FreeMemory, cgroup_limits, shortage

GB = 1_000_000_000


def group(folder, limit, used, cached, names=("memory.max", "memory.current", "inactive_file")):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {cached}\nactive_file 0\n")


def limits(tmp_path, membership):
    (tmp_path / "cgroup").write_text(membership)
    return [(one.limit, one.free) for one in cgroup_limits(tmp_path / "cgroup", tmp_path)]


def test_limits_of_a_group_and_of_those_above_it_count_and_cached_files_are_free(tmp_path):
    group(tmp_path / "user" / "editor", 2 * GB, GB, GB // 2)
    group(tmp_path / "user", 4 * GB, GB, 0)
    group(tmp_path, "max", GB, 0)
    assert limits(tmp_path, "0::/user/editor\n") == [(2 * GB, 1.5 * GB), (4 * GB, 3 * GB)]


def test_group_of_a_container_that_cannot_be_seen_by_its_name_is_the_topmost(tmp_path):
    group(tmp_path, GB, 100, 0)
    assert limits(tmp_path, "0::/docker/0123\n") == [(GB, GB - 100)]


def test_groups_of_version_1_are_read(tmp_path):
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    group(tmp_path / "memory" / "a", 3 * GB, GB, 100, names)
    assert limits(tmp_path, "5:cpu:/\n4:memory:/a\n0::/\n") == [(3 * GB, 2 * GB + 100)]


@pytest.mark.parametrize("membership", ["", "0::/\n", "4:memory:/\n"])
def test_nothing_that_can_be_read_is_no_limit(tmp_path, membership):
    assert limits(tmp_path, membership) == []


@pytest.mark.parametrize(
    ("free", "said"),
    [
        (FreeMemory("address space", 2 * GB, 3 * GB, "`ulimit -v`"), None),
        (
            FreeMemory("address space", GB, 3 * GB, "`ulimit -v`"),
            r"3\.\d\d GB of address space.*3\.00 GB \(`ulimit",
        ),
        (FreeMemory("memory", GB // 2, GB, "its container"), None),
        (FreeMemory("memory", GB // 5, GB, "its container"), r"1\.\d\d GB of memory.*1\.00 GB \(its cont"),
    ],
)
def test_default_model_needs_what_was_measured(monkeypatch, free, said):
    monkeypatch.setattr(memory, "_limits", lambda: [free])
    sentence = shortage(1_087_000_000, True, 2)
    assert (sentence is None) if said is None else re.search(said, sentence)


@pytest.mark.skipif(sys.platform != "linux", reason="limits are read on Linux")
def test_limit_of_this_process_is_read(monkeypatch):
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda which: (8 * GB, 8 * GB))
    found = list(memory.process_limits())
    assert [one.limit for one in found] == [8 * GB, 8 * GB]
    assert all(0 < one.free < 8 * GB for one in found)
