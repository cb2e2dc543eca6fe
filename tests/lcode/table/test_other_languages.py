from __future__ import annotations

import pytest

from lcode.table.metric_names import known_metric
from lcode.table.other_languages import in_english, name_in_english


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("第 3/50 轮：训练损失=0.25，验证准确率：0.5", "epoch 3/50 :train loss=0.25,val accuracy:0.5"),
        ("第3轮/共50轮", "epoch 3/50 "),
        ("第3轮（共50轮）：", "epoch 3/50 :"),
        ("当前Batch：10 | 当前损失值：1.5", "current Batch:10 | current loss:1.5"),
        ("保存最佳模型", "save best model"),
        ("Época 3 - pérdida: 0.5", "epoch 3 - loss: 0.5"),
        ("에폭 3 손실: 0.5", "epoch 3 loss: 0.5"),
        ("naïve loss", "naïve loss"),
        ("loss", "loss"),
    ],
)
def test_words_of_a_training_in_other_languages(text: str, english: str) -> None:
    assert in_english(text) == english


def test_names_are_known_by_their_english_words() -> None:
    assert [known_metric(name).direction for name in ("验证损失", "测试准确率", "平均奖励")] == ["min", "max", "max"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "english"),
    [
        ("Durchgang", "epoch"),
        ("Validierungsverlust", "val loss"),
        ("Trainings_Genauigkeit", "train_accuracy"),
        ("perte_validation", "loss_validation"),
        ("Exactitude entraînement", "accuracy train"),
        ("précision", "precision"),
        ("Verlustfunktion", "Verlustfunktion"),  # another word
        ("val_loss", "val_loss"),
    ],
)
def test_names_in_latin_letters(name: str, english: str) -> None:
    assert name_in_english(name) == english
