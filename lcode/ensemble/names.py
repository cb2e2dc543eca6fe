"""Names of the base models, as users meet them in checkpoints, tables and ablations."""

NETWORK = "lc-gode"
"""The network that was adapted to the finished runs."""

PRETRAINED = "pretrained"
"""The network as it came."""

IN_CONTEXT = "in-context network"
"""The network that takes finished runs for examples."""

RELATED, RESCALED = "related runs", "related runs, rescaled"
"""The same with runs of related problems among the examples, as they are and on the scale of the own ones."""

PROCESS = "gaussian process"
VALUES = "forest of values"
SURPRISES = "forest of surprises"
