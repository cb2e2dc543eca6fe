"""LCBench: 2,000 settings of funnel-shaped perceptrons on each of 23 tables, validation cross-entropy at 52 points."""

from __future__ import annotations

from lcode.benchmarks.collection import CurveCollection, main_metric
from lcode.benchmarks.files import DataFile

# The settings are the same 2,000 for every table: see `halves.py` before training on one and testing on another.
_CONFIGS = "284cc3507c268732c64f67b7f98a9eb6710911e9cc2c98e7b842a186f3f2910a"

_CURVES = {
    "APSFailure": "9a59530e57763d1704c4f1f8c905880ee68234db5e635afa9a24215f7990fd65",
    "Amazon_employee_access": "bf4c1adf9367b0e299c8fb1a6aab11b4c77c0b9edc133d233ffd9e10b6dd4601",
    "Australian": "a502034a1ea1407e51830f41394474ff85382ce8426b2dc61e21e55535b7d9da",
    "KDDCup09_appetency": "1838dc64c3ae8b5aa16dba0d1a7d8ec5e75d0db32b7ddb57987b6c029260de29",
    "MiniBooNE": "dbec0f172607276a13ed32494efe516699a9c7ccb6b800fbe4a54a46fe2873a0",
    "airlines": "61d18f9f09978d63512119756a19d42a4aeafd0dbe7d4357b2c4c1be5f28ae51",
    "albert": "edd5565e03d2648a77677e7a73cc46002a4eb529f093f3fc433a53ee444012e6",
    "bank-marketing": "5b7e2f625b95796a6236c1b5c14cf514c9009582451850c0d60f4eb7a2c41803",
    "blood-transfusion-service-center": "c04a7a77cb8478e8a2444ddc6bd9c90d6b8247d87eb2608db238fb3d8a989e37",
    "cnae-9": "8a783ac4cc80e021f5bded0d53540f4aedfcd519b42e545fbac50d4ae28001e2",
    "connect-4": "b72c1c1f0287c9ab18fd6786c49fda1e85d27ffb57248266f29d6a5aa401879c",
    "credit-g": "f6166fdfcaa331598bfa4b5d08f11a7e774c6fe6afddb6dc09afd5e28c9f1b4c",
    "dionis": "99e611beca9abab1a9a1871a11c3e8222320c57e59510c8401cbc1c56bd2ef11",
    "fabert": "f4bd852d1fd7016e915612a3986d760d1a51e794a2666cc166d72e46cc0a5fd2",
    "jasmine": "dbe516ed7513c6188e6dd4e98db08d7c896c577500d9af5b9b91bd02202916f0",
    "jungle_chess_2pcs_raw_endgame_complete": "ddc5da009edd86b4da837db51f7f4d84ddcd20991e5d71b84d4eb1dd24020866",
    "kc1": "9dad9114fa15f838d1cb463436395f9b2aff2b21c0cfe09c26ac332595a6268d",
    "mfeat-factors": "e70b9e36c802604dce841a91029075aba9dc98c60329b0b96e60dc876f132d8c",
    "numerai28.6": "9cb3b7b78281488624a9e1a51bc433eae2b748fdd4fa8f93b107e92e16797a99",
    "phoneme": "1741d122a24de7663b8c642de4bfe9289ade9a6978cb6a729a674005a3055013",
    "segment": "c7799abe4d813fb10a0a2cb1fe24527cdd153aabd10f84c54a70e309a03c3aeb",
    "shuttle": "929c98e765ff031d8128bb5f5a070294e718bd9a49837bcb5eeb7a0c2a6a087a",
    "sylvine": "3a82d362d9c29d9a0f37b2a26ca603b6c5fc943cbe85555d56d454af03b8062b",
}

LCBENCH = {
    f"lcbench/{table}": CurveCollection(
        name=f"lcbench/{table}",
        curves=DataFile(f"lcbench/{table}.curves.parquet", sha256),
        configs=DataFile("lcbench/lcbench.configs.parquet", _CONFIGS),
        metric=main_metric("valid_cross_entropy"),
        rows=104_000,
        source="Zimmer et al. 2021, LCBench (Auto-PyTorch Tabular), from OpenML tables",
    )
    for table, sha256 in _CURVES.items()
}
"""By name `lcbench/<table>`; epochs 0 (before training) to 51. All runs are kept."""
