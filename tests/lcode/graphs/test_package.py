from __future__ import annotations

import subprocess
import sys

import pytest

import lcode.graphs


def test_importing_the_package_loads_neither_torch_nor_pandas() -> None:
    code = (
        "import sys, lcode.graphs as g\n"
        "g.graph_statistics(g.mlp_graph([4], n_inputs=2, outputs=1))\n"
        "print([m for m in ('torch', 'torch_geometric', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_exists() -> None:
    assert all(getattr(lcode.graphs, name) is not None for name in lcode.graphs.__all__)
    assert sorted(lcode.graphs.BUILDERS) == ["cell", "mlp"]
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = lcode.graphs.nothing
