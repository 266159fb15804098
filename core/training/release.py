"""From a run to a model folder."""

import json
from dataclasses import replace
from pathlib import Path

from ..errors import ScaleMoGenError
from ..files import make_folder, write_bytes
from ..model.presets import bundled
from ..model.tokenizer import same_bits
from ..model.weights import CHECKSUMS, DURATIONS, load, load_tokenizer

_TOKENIZER, _TRANSFORMER = "tokenizer.safetensors", "transformer.safetensors"


def release(out: Path, folder: Path, decoder_run: Path | None = None) -> None:
    """Copy the trained model of a run into a model folder such as assets/models/NAME.

    ``decoder_run``: a run whose tokenizer was trained on from this one's (``--start-from``) and
    whose better decoder is taken.  How it is sampled (guidance, temperature) is no part of a
    training: the preset decides.
    """
    source = out / "model"
    model = load(source)  # checks that all is there and whole
    origin = {_TOKENIZER: source, _TRANSFORMER: source}
    if (source / DURATIONS).exists():
        origin[DURATIONS] = source
    if decoder_run is not None:
        if not same_bits(load_tokenizer(decoder_run / "model")[1], model.tokenizer):
            raise ScaleMoGenError(
                f"{decoder_run} has another tokenizer; train it with --start-from {source}"
            )
        origin[_TOKENIZER] = decoder_run / "model"
    make_folder(folder)
    sums = {}
    for name, where in origin.items():
        write_bytes(folder / name, (where / name).read_bytes())
        sums[name] = json.loads((where / CHECKSUMS).read_text(encoding="utf-8"))[name]
    write_bytes(folder / CHECKSUMS, (json.dumps(sums, indent=1) + "\n").encode())
    preset = bundled().transformer
    sampled = replace(
        model.config.transformer,
        guidance=preset.guidance,
        guidance_ramp=preset.guidance_ramp,
        temperature=preset.temperature,
        temperature_ramp=preset.temperature_ramp,
    )
    released = replace(model.config, name=folder.name, transformer=sampled)
    write_bytes(folder / "config.json", released.to_json().encode())
