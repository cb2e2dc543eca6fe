"""What holds for all tests."""

from __future__ import annotations

import logging
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")


_RAY = ExitStack()


def _on_ray(item: pytest.Item | None) -> bool:
    return "real_ray" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow tests come first: one that comes last keeps a process busy when all others have ended."""
    for item in items:
        if _on_ray(item):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: (item.get_closest_marker("slow") is None, not _on_ray(item)))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Ray ends with the last test that needs it: its processes take their share of the time while they wait."""
    if _on_ray(item) and not _on_ray(nextitem):
        _RAY.close()


def _begin_ray() -> None:
    """Ray on two CPUs, that leaves nothing outside of the tests' folders but for sockets while it runs."""
    ray = pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    if ray.is_initialized():
        return
    folder = tempfile.mkdtemp()  # Ray's sockets have names too long for pytest's folders
    _RAY.callback(shutil.rmtree, folder, ignore_errors=True)
    patch = _RAY.enter_context(pytest.MonkeyPatch.context())
    for name, value in (("USAGE_STATS_ENABLED", "0"), ("AUTH_MODE", "disabled")):
        patch.setenv(f"RAY_{name}", value)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR, _temp_dir=folder)
    _RAY.callback(ray.shutdown)


@pytest.fixture
def real_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ray that runs; what a tuner without a folder leaves is in the test's own."""
    _begin_ray()
    monkeypatch.setenv("HOME", str(tmp_path))
