"""What holds for all tests."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow tests come first: one that comes last keeps a process busy when all others have ended."""
    for item in items:
        if "real_ray" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def _ray_session() -> Iterator[None]:
    """Ray on two CPUs, that leaves nothing outside of the tests' folders but for sockets while it runs."""
    ray = pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    folder = tempfile.mkdtemp()  # Ray's sockets have names too long for pytest's folders
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("USAGE_STATS_ENABLED", "0"), ("AUTH_MODE", "disabled")):
            patch.setenv(f"RAY_{name}", value)
        ray.init(
            num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR, _temp_dir=folder
        )
        yield
        ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def real_ray(_ray_session: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ray that runs; what a tuner without a folder leaves is in the test's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
