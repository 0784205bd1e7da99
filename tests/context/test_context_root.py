from aide_lsp.context.root import context_root


def test_root_is_the_innermost_repository_in_the_workspace(tmp_path):
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "repository" / "module" / "src").mkdir(parents=True)
    (tmp_path / "repository" / "module" / ".git").write_text("gitdir: elsewhere", encoding="utf-8")
    document = tmp_path / "repository" / "module" / "src" / "a.py"
    assert context_root(document, tmp_path) == tmp_path / "repository" / "module"
    assert context_root(document, None) == tmp_path / "repository" / "module"
    assert context_root(document, document.parent) == document.parent, "it is never outside the workspace"
    outside = tmp_path / "other"
    assert context_root(document, outside) == tmp_path / "repository" / "module"


def test_without_a_repository_it_is_the_folder_with_settings_else_the_workspace(tmp_path):
    document = tmp_path / "project" / "src" / "a.py"
    document.parent.mkdir(parents=True)
    assert context_root(document, None) is None
    assert context_root(document, None, tmp_path / "elsewhere") is None
    assert context_root(document, None, document.parent) == document.parent
    assert context_root(document, tmp_path, document.parent) == tmp_path
    (tmp_path / "project" / ".aide.toml").write_text("", encoding="utf-8")
    assert context_root(document, tmp_path, document.parent) == tmp_path / "project"
    assert context_root(document, None) == tmp_path / "project"


def test_root_of_the_disk_is_no_project(tmp_path):
    disk = tmp_path.parents[-1]
    assert context_root(disk / "a.py", disk, disk) is None
