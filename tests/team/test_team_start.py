"""Ray that does not start at once, as on a busy machine."""

import warnings

import pytest

pytest.importorskip("ray", reason="Ray is not installed here; `make test-team` has an environment with it")

with warnings.catch_warnings():
    # Ray's own code is not up to date.
    warnings.simplefilter("ignore")
    from aide_lsp.team import cluster


@pytest.mark.parametrize("failures", range(cluster.START_ATTEMPTS + 1))
def test_ray_is_started_again_some_times(monkeypatch, failures):
    done = []

    def init(**options):
        done.append("init")
        if done.count("init") <= failures:
            raise RuntimeError("It took too long.")

    monkeypatch.setattr(cluster.ray, "init", init)
    monkeypatch.setattr(cluster.ray, "shutdown", lambda: done.append("shutdown"))
    if failures < cluster.START_ATTEMPTS:
        cluster._start("folder")
        assert done == ["init", "shutdown"] * failures + ["init"]
        return
    with pytest.raises(cluster.ClusterError, match=r"Ray did not start \(RuntimeError\): It took too long"):
        cluster._start("folder")
    assert done == ["init", "shutdown"] * failures
