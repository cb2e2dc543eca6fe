"""Readers of the folders and files that other tools leave: one module per tool."""

from __future__ import annotations

from lcode.readers.logged.base import Logged, Logger
from lcode.readers.loggers.alignn import AlignnReader
from lcode.readers.loggers.atoms import MaceReader, NequIPReader
from lcode.readers.loggers.catboost import CatBoostReader
from lcode.readers.loggers.clearml import ClearMLReader
from lcode.readers.loggers.deepxde import DeepXDEReader
from lcode.readers.loggers.detectron2 import Detectron2Reader
from lcode.readers.loggers.dvclive import DVCLiveReader
from lcode.readers.loggers.epoch_files import AllenNLPReader, EpochFilesReader
from lcode.readers.loggers.evaluations import EvaluationsReader
from lcode.readers.loggers.gpumd import NEPReader
from lcode.readers.loggers.graphgym import GraphGymReader
from lcode.readers.loggers.huggingface import HuggingFaceReader
from lcode.readers.loggers.kaldi import KaldiReader
from lcode.readers.loggers.libmtl import LibMTLReader
from lcode.readers.loggers.lightning import LightningReader
from lcode.readers.loggers.llama_factory import LlamaFactoryReader
from lcode.readers.loggers.mlflow import MLflowReader
from lcode.readers.loggers.mmengine import MMEngineReader
from lcode.readers.loggers.monitor import MonitorReader
from lcode.readers.loggers.mtan import MtanReader
from lcode.readers.loggers.neptune import NeptuneReader
from lcode.readers.loggers.optuna import OptunaReader
from lcode.readers.loggers.polyaxon import PolyaxonReader
from lcode.readers.loggers.ray_tune import RayTuneReader
from lcode.readers.loggers.sacred import SacredReader
from lcode.readers.loggers.stable_baselines3 import StableBaselines3Reader
from lcode.readers.loggers.syne_tune import SyneTuneReader
from lcode.readers.loggers.tensorboard import TensorBoardReader
from lcode.readers.loggers.tensorboard_download import TensorBoardDownloadReader
from lcode.readers.loggers.text_log import TextLogReader
from lcode.readers.loggers.ultralytics import UltralyticsReader
from lcode.readers.loggers.wandb_export import WandbExportReader
from lcode.readers.loggers.wandb_offline import WandbReader

LOGGERS: dict[str, Logger] = {
    "optuna": OptunaReader(),
    "ray-tune": RayTuneReader(),
    "syne-tune": SyneTuneReader(),
    "stable-baselines3": StableBaselines3Reader(),
    "ultralytics": UltralyticsReader(),
    "mmengine": MMEngineReader(),
    "detectron2": Detectron2Reader(),
    "mace": MaceReader(),
    "nequip": NequIPReader(),
    "nep": NEPReader(),
    "kaldi": KaldiReader(),
    "graphgym": GraphGymReader(),
    "alignn": AlignnReader(),
    "libmtl": LibMTLReader(),
    "mtan": MtanReader(),
    "allennlp": AllenNLPReader(),
    "deepxde": DeepXDEReader(),
    "dvclive": DVCLiveReader(),
    "polyaxon": PolyaxonReader(),
    "sacred": SacredReader(),
    "catboost": CatBoostReader(),
    "tensorboard-download": TensorBoardDownloadReader(),
    "lightning": LightningReader(),
    "huggingface": HuggingFaceReader(),
    "llama-factory": LlamaFactoryReader(),
    "mlflow": MLflowReader(),
    "wandb": WandbReader(),
    "tensorboard": TensorBoardReader(),
    "wandb-export": WandbExportReader(),
    "neptune": NeptuneReader(),
    "clearml": ClearMLReader(),
    "monitor": MonitorReader(),
    "evaluations": EvaluationsReader(),
    "epoch-files": EpochFilesReader(),
    "text": TextLogReader(),
}
"""Reader by tool, in the order in which they are asked: of two tools that wrote into one folder the first is read."""

GIVES_WAY = "clearml"
"""Reads curves that are drawn anywhere, so only where there are no other logs."""

LAST_RESORT = "text"
"""What is read only where no other reader finds a run: a program prints what its logger keeps as well."""

__all__ = ["LAST_RESORT", "LOGGERS", "Logged", "Logger"]
