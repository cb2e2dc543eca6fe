"""Forecasters measured beside each other over many sources, prefixes and numbers of finished runs."""

from lcode.evaluation.bench.entrants import Entrant, entrants
from lcode.evaluation.bench.markdown import bench_markdown, bench_tables
from lcode.evaluation.bench.prefixes import Prefix
from lcode.evaluation.bench.protocols import PROTOCOLS
from lcode.evaluation.bench.run import run_bench
from lcode.evaluation.bench.sources import Source, find_sources
from lcode.evaluation.bench.store import Store
from lcode.evaluation.bench.summary import Section, failures, summarise

__all__ = [
    "PROTOCOLS",
    "Entrant",
    "Prefix",
    "Section",
    "Source",
    "Store",
    "bench_markdown",
    "bench_tables",
    "entrants",
    "failures",
    "find_sources",
    "run_bench",
    "summarise",
]
