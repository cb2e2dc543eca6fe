"""The prior of hyper-parameters that ships with the network, learned from the same finished runs."""

from __future__ import annotations

from collections.abc import Mapping

from lcode.ensemble.settings_prior import SettingsPrior
from lcode.table import RunTable


def learn_settings(tables: Mapping[str, RunTable]) -> SettingsPrior:
    """From finished runs of several problems.

    Args:
        tables: by name; those with the same name before the first `/` are a family, run with settings of one kind.
    """
    families: dict[str, list[RunTable]] = {}
    for name, table in tables.items():
        families.setdefault(name.partition("/")[0], []).append(table)
    return SettingsPrior.learned(families.values())
