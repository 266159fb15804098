"""Text encoders and the cache of prompt states."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ScaleMoGenError
from core.text import cache as cache_module
from core.text import encoder as encoder_module
from core.text.cache import CachedTextEncoder, encoder_hash
from core.text.encoder import find_encoder_folder, load_text_encoder
from core.text.tokenization import _equal_length_batches

PROMPTS = ["a person walks forward", "someone waves with the right hand, then bows", "jump"]


@pytest.fixture(scope="session")
def minilm_folder() -> Path:
    return find_encoder_folder("minilm")


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCALEMOGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class CountingEncoder:
    """A fake encoder: 384 numbers per word that depend on the word, and a count of its work."""

    name = "minilm"
    width = 384

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode(self, prompts):
        self.seen += prompts
        return [
            np.stack([np.full(384, float(len(w)), np.float32) for w in p.split()]) for p in prompts
        ]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> CountingEncoder:
    encoder = CountingEncoder()
    monkeypatch.setattr(cache_module, "load_text_encoder", lambda *_: encoder)
    return encoder


def entries(cache_folder: Path) -> list[Path]:
    return sorted(cache_folder.rglob("*.safetensors"))


# --- the bundled encoder -------------------------------------------------------------------------


def test_states_are_the_librarys_own_for_each_prompt_alone(minilm_folder: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    reference = transformers.AutoModel.from_pretrained(minilm_folder, local_files_only=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(minilm_folder, local_files_only=True)
    states = load_text_encoder("minilm").encode(PROMPTS)
    for prompt, state in zip(PROMPTS, states, strict=True):
        with torch.inference_mode():
            expected = reference(**tokenizer(prompt, return_tensors="pt")).last_hidden_state[0]
        assert state.dtype == np.float32
        assert state.shape == expected.shape
        assert np.abs(state - expected.numpy()).max() < 2e-5


def test_the_bundled_encoder_starts_without_the_transformers_library(cache_folder: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['transformers'] = None  # importing it fails\n"
        "from core.text.encoder import load_text_encoder\n"
        "assert load_text_encoder('minilm').encode(['walk'])[0].shape == (3, 384)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ))


def test_states_do_not_depend_on_the_neighbours_in_the_batch() -> None:
    encoder = load_text_encoder("minilm")
    together = encoder.encode([*PROMPTS, "bow", PROMPTS[0]])
    alone = [encoder.encode([prompt])[0] for prompt in PROMPTS]
    for a, b in zip(alone, together, strict=False):
        assert a.shape == b.shape
        assert np.abs(a - b).max() < 1e-5
    assert np.array_equal(together[0], together[-1])


def test_a_very_long_prompt_is_cut() -> None:
    (states,) = load_text_encoder("minilm").encode(["walk " * 1000])
    assert states.shape == (128, 384)


@given(st.lists(st.integers(1, 5), max_size=300))
def test_batches_hold_every_text_once_and_one_length_each(lengths: list[int]) -> None:
    batches = list(_equal_length_batches(lengths))
    assert sorted(row for rows in batches for row in rows) == list(range(len(lengths)))
    assert all(len({lengths[row] for row in rows}) == 1 and len(rows) <= 64 for rows in batches)


def test_half_precision_weights_are_used_in_full_precision(
    minilm_folder: Path, tmp_path: Path
) -> None:
    torch_files = pytest.importorskip("safetensors.torch")
    folder = tmp_path / "half"
    folder.mkdir()
    for file in ("config.json", "tokenizer.json"):
        shutil.copy(minilm_folder / file, folder / file)
    weights = torch_files.load_file(minilm_folder / "model.safetensors")
    half = {k: v.half() if v.is_floating_point() else v for k, v in weights.items()}
    torch_files.save_file(half, folder / "model.safetensors")
    (full,) = load_text_encoder("minilm").encode(PROMPTS[:1])
    (states,) = load_text_encoder("minilm", folder).encode(PROMPTS[:1])
    assert states.dtype == np.float32
    assert 0 < np.abs(full - states).max() < 0.02
    assert encoder_hash("minilm", folder) != encoder_hash("minilm", minilm_folder)


# --- finding and refusing ------------------------------------------------------------------------


def test_the_extension_assets_come_before_the_package(
    minilm_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in ("config.json", "tokenizer.json", "model.safetensors"):
        (tmp_path / file).symlink_to(minilm_folder / file)
    monkeypatch.setattr(encoder_module, "BUNDLED_MINILM", tmp_path)
    assert find_encoder_folder("minilm") == tmp_path


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model.safetensors"])
def test_an_incomplete_folder_is_refused(minilm_folder, tmp_path: Path, missing: str) -> None:
    for file in {"config.json", "tokenizer.json", "model.safetensors"} - {missing}:
        (tmp_path / file).symlink_to(minilm_folder / file)
    with pytest.raises(ScaleMoGenError, match="missing"):
        find_encoder_folder("minilm", tmp_path)


def test_unknown_or_absent_encoders_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ScaleMoGenError, match="minilm or t5"):
        find_encoder_folder("clip")
    with pytest.raises(ScaleMoGenError, match="flan-t5-xl"):
        find_encoder_folder("t5")
    monkeypatch.setattr(encoder_module, "MINILM_PACKAGE", "no-such-package-at-all")
    monkeypatch.setattr(encoder_module, "BUNDLED_MINILM", Path("/nowhere"))
    with pytest.raises(ScaleMoGenError, match="not on this machine"):
        find_encoder_folder("minilm")


@pytest.mark.parametrize(
    "damage",
    ["config", "kind", "heads", "tokenizer", "weights", "shape", "missing tensor", "not a number"],
)
def test_damaged_encoder_files_are_refused(minilm_folder, tmp_path: Path, damage: str) -> None:
    for file in ("config.json", "tokenizer.json"):
        shutil.copy(minilm_folder / file, tmp_path / file)
    weights = tmp_path / "model.safetensors"
    if damage == "weights":
        weights.write_bytes((minilm_folder / "model.safetensors").read_bytes()[:100_000])
    elif damage in ("missing tensor", "not a number"):
        from safetensors.numpy import load_file, save_file

        tensors = load_file(minilm_folder / "model.safetensors")
        bias = tensors.pop("encoder.layer.3.output.dense.bias")
        if damage == "not a number":
            bias[5] = np.nan
            tensors["encoder.layer.3.output.dense.bias"] = bias
        save_file(tensors, weights)
    else:
        weights.symlink_to(minilm_folder / "model.safetensors")
    if damage == "config":
        (tmp_path / "config.json").write_text("{}")
    elif damage == "tokenizer":
        (tmp_path / "tokenizer.json").write_text("{}")
    else:
        changes = {
            "shape": {"intermediate_size": 100},
            "kind": {"hidden_act": "relu"},
            "heads": {"num_attention_heads": 7},
        }
        config = json.loads((tmp_path / "config.json").read_text())
        (tmp_path / "config.json").write_text(json.dumps(config | changes.get(damage, {})))
    with pytest.raises(ScaleMoGenError, match=r"Get .* again"):
        load_text_encoder("minilm", tmp_path)


# --- T5 ------------------------------------------------------------------------------------------


@pytest.fixture
def tiny_t5(tmp_path: Path) -> Path:
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    vocabulary = {"<pad>": 0, "</s>": 1, "<unk>": 2, "walk": 3, "run": 4, "fast": 5}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    folder = tmp_path / "t5"
    config = transformers.T5Config(
        vocab_size=6, d_model=16, d_kv=4, d_ff=32, num_layers=2, num_heads=4
    )
    transformers.T5EncoderModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_t5_states_end_with_the_end_token_and_have_no_padding(tiny_t5: Path) -> None:
    torch = pytest.importorskip("torch")
    from transformers import T5EncoderModel

    encoder = load_text_encoder("t5", tiny_t5)
    short, long = encoder.encode(["walk", "run fast"])
    assert encoder.width == 16
    assert short.shape == (2, 16) and long.shape == (3, 16)
    with torch.inference_mode():
        model = T5EncoderModel.from_pretrained(tiny_t5).eval()
        expected = model(input_ids=torch.tensor([[4, 5, 1]])).last_hidden_state[0].numpy()
    assert np.abs(long - expected).max() < 1e-5


def test_a_pickled_t5_is_never_read(tiny_t5: Path) -> None:
    for file in tiny_t5.glob("*.safetensors"):
        file.rename(tiny_t5 / "pytorch_model.bin")
    with pytest.raises(ScaleMoGenError, match="safetensors"):
        load_text_encoder("t5", tiny_t5)


# --- the cache -----------------------------------------------------------------------------------


def test_a_known_prompt_is_read_from_disk(cache_folder: Path, fake: CountingEncoder) -> None:
    first = CachedTextEncoder("minilm").encode(["walk", "run fast", "walk"])
    assert fake.seen == ["walk", "run fast"]
    again = CachedTextEncoder("minilm")
    states = again.encode(["run fast", "walk"])
    assert fake.seen == ["walk", "run fast"]
    assert not again.is_loaded
    assert np.array_equal(states[0], first[1]) and np.array_equal(states[1], first[0])
    assert len(entries(cache_folder)) == 2


def test_known_prompts_need_neither_torch_nor_the_weights(cache_folder: Path) -> None:
    CachedTextEncoder("minilm").encode(PROMPTS)
    code = (
        "import sys; from core.text.cache import CachedTextEncoder\n"
        f"encoder = CachedTextEncoder('minilm'); states = encoder.encode({PROMPTS!r})\n"
        "assert [s.shape[1] for s in states] == [384] * 3 and not encoder.is_loaded\n"
        "loaded = {'torch', 'transformers', 'tokenizers'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ))


@pytest.mark.parametrize("damage", ["truncated", "bit flip", "empty", "other shape"])
def test_a_damaged_entry_is_computed_again(cache_folder, fake, damage: str) -> None:
    from safetensors.numpy import save_file

    (expected,) = CachedTextEncoder("minilm").encode(["walk"])
    (entry,) = entries(cache_folder)
    intact = entry.read_bytes()
    if damage == "truncated":
        entry.write_bytes(intact[:-10])
    elif damage == "bit flip":
        entry.write_bytes(intact[:-10] + bytes([intact[-10] ^ 1]) + intact[-9:])
    elif damage == "empty":
        entry.write_bytes(b"")
    else:
        save_file({"states": np.zeros((2, 5), np.float32)}, entry)
    (states,) = CachedTextEncoder("minilm").encode(["walk"])
    assert np.array_equal(states, expected)
    assert fake.seen == ["walk", "walk"]
    assert entry.read_bytes() == intact


def test_the_longest_unused_entries_go_first(cache_folder: Path, fake: CountingEncoder) -> None:
    CachedTextEncoder("minilm").encode(["a", "b", "c"])
    size = entries(cache_folder)[0].stat().st_size
    for age, prompt in enumerate(["b", "c", "a"]):
        path = CachedTextEncoder("minilm")._path(prompt)
        os.utime(path, (1_000_000 + age, 1_000_000 + age))
    CachedTextEncoder("minilm").encode(["b"])  # used now, hence the newest
    CachedTextEncoder("minilm", max_bytes=3 * size).encode(["d"])
    kept = {prompt for prompt in "abcd" if CachedTextEncoder("minilm")._path(prompt).exists()}
    assert kept == {"a", "b", "d"}


def test_an_unwritable_cache_is_not_an_error(
    tmp_path: Path, fake: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("a file where the folder should be")
    monkeypatch.setenv("SCALEMOGEN_CACHE", str(blocker / "cache"))
    (states,) = CachedTextEncoder("minilm").encode(["walk fast"])
    assert states.shape == (2, 384)


def test_a_full_disk_leaves_no_half_entry(
    cache_folder: Path, fake: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.files.os.replace", full)
    assert CachedTextEncoder("minilm").encode(["walk"])[0].shape == (1, 384)
    assert [path for path in cache_folder.rglob("*") if path.is_file()] == []
