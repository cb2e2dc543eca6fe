"""Words of other languages for what is counted, on which data is measured, and what: people log in their own language.

Names stay as they were logged; they are only looked up by their English words.
"""

from __future__ import annotations

import re
from functools import lru_cache

_WORDS = {
    word: english
    for english, words in {
        "epoch": "轮次 轮数 周期 训练轮次 训练轮数 迭代轮次 迭代轮数 에폭 에포크 エポック эпоха época époque",
        "episode": "回合 回合数",
        "step": "步数 步骤 训练步数",
        "iteration": "迭代 迭代次数 итерация",
        "batch": "批次",
        "train": "训练 训练集 訓練 训练时 训练中 훈련 학습 学習 обучение обучения entrenamiento treino treinamento",
        "val": "验证 验证集 驗證 校验 开发集 검증 検証 валидация валидации validación validação",
        "test": "测试 测试集 測試 테스트 テスト тест",
        "loss": "损失 损失值 损失函数 损失函数值 損失 손실 потери лосс pérdida perda perte",
        "accuracy": "准确率 正确率 准确度 準確率 精度 정확도 正解率 точность exactitud acurácia",
        "precision": "精确率 查准率 精确度",
        "recall": "召回率 查全率 재현율 再現率",
        "perplexity": "困惑度",
        "error": "误差 错误率 誤差 오차 ошибка",
        "rmse": "均方根误差",
        "mse": "均方误差",
        "mae": "平均绝对误差",
        "iou": "交并比",
        "reward": "奖励 奖励值 보상 報酬",
        "return": "回报",
        "score": "得分 分数 评分",
        "lr": "学习率 學習率 학습률 学習率",
        "mean": "平均 平均值 среднее",
        "total": "总",
        "current": "当前 本轮",
        "best": "最佳 最优 最好 最高",
        "time": "用时 耗时 时间 时长",
        "save": "保存 已保存",
        "new": "更新 新的",
        "model": "模型",
        "results": "结果",
        "metrics": "指标",
        "overall": "整体 总体",
        "": "值",
    }.items()
    for word in words.split()
}
_LATIN = {
    word: english
    for english, words in {
        "epoch": "durchgang durchgänge epoche epochen époque époques epoque epoca época épocas epocas",
        "step": "schritt schritte étape étapes etape paso pasos",
        "train": "trainings entraînement entrainement apprentissage entrenamiento treinamento treino",
        "val": "validierung validierungs validación validacion validação validacao",
        "loss": "verlust verluste perte pertes pérdida perdida perda",
        "accuracy": "genauigkeit treffergenauigkeit exactitude exactitud acurácia acuracia",
        "precision": "präzision précision precisión precisão",
        "recall": "trefferquote rappel",
        "error": "fehler erreur",
        "mean": "mittelwert moyenne",
        "metric": "metrik kennzahl métrique métrica metrica",
        "reward": "belohnung récompense recompense recompensa",
        "lr": "lernrate",
        "time": "dauer durée",
    }.items()
    for word in words.split()
}
"""Words that English writes with the same letters: they are looked up in names alone, not in whole lines."""

_LATIN_WORD = re.compile(
    rf"(?<![^\W\d_])(?:{'|'.join(sorted(_LATIN, key=len, reverse=True))})(?![^\W\d_])", re.IGNORECASE
)
_COMPOUND = re.compile(r"(?<![^\W\d_])(validierungs|trainings|test)(?=verlust|genauigkeit|fehler)", re.IGNORECASE)
"""What German puts before the word itself: `Validierungsverlust`."""

_ANY = "|".join(
    rf"\b{word}\b" if re.match(r"[a-z\u00e0-\u04ff]", word) else word for word in sorted(_WORDS, key=len, reverse=True)
)
_RUN = re.compile(rf"(?:{_ANY})+", re.IGNORECASE)
_WORD = re.compile(_ANY, re.IGNORECASE)

_KIND = "轮次?|回合|步|次迭代|批次?|折"
_ORDINAL = re.compile(rf"第\s*(\d+(?:\s*/\s*\d+)?)\s*个?\s*({_KIND})")
"""`第 3/50 轮`: the third of fifty epochs."""
_OF_ALL = re.compile(rf"第\s*(\d+)\s*个?\s*(?:{_KIND})?\s*[/,(]\s*共\s*(\d+)\s*个?\s*({_KIND})\s*\)?")
"""`第3轮/共50轮`, the same."""

_COUNTED = {"轮": "epoch", "回": "episode", "步": "step", "次": "iteration", "批": "batch", "折": "fold"}
_SIGNS = str.maketrans("：，；（）【】％＝｜", ":,;()[]%=|")


def in_english(text: str) -> str:
    """The text with those of its words in English that tell how a training goes; it stays as it is without any.

    Examples:
        >>> in_english("第 3/50 轮：训练损失=0.25")
        'epoch 3/50 :train loss=0.25'
    """
    return text if text.isascii() else _translated(text)


@lru_cache(maxsize=1 << 16)
def name_in_english(name: str) -> str:
    """The name of a column or of a curve with such words in English, those in Latin letters too.

    Examples:
        >>> name_in_english("Validierungsverlust"), name_in_english("perte_val"), name_in_english("val_loss")
        ('val loss', 'loss_val', 'val_loss')
    """
    text = _COMPOUND.sub(r"\1 ", name)
    return in_english(_LATIN_WORD.sub(lambda found: _LATIN[found.group().lower()], text))


@lru_cache(maxsize=1 << 12)
def _translated(text: str) -> str:
    text = _OF_ALL.sub(lambda found: f"{_COUNTED[found[3][0]]} {found[1]}/{found[2]} ", text.translate(_SIGNS))
    text = _ORDINAL.sub(lambda found: f"{_COUNTED[found[2][0]]} {found[1]} ", text)

    def english(found: re.Match[str]) -> str:
        said = " ".join(filter(None, (_WORDS[word.lower()] for word in _WORD.findall(found.group()))))
        before, after = text[: found.start()][-1:], text[found.end() :][:1]
        return f"{' ' if said and before.isalnum() else ''}{said}{' ' if said and after.isalnum() else ''}"

    return _RUN.sub(english, text)
