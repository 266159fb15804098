"""The optimizers of a training: AdamW, or Muon for the matrices inside the blocks."""

from torch import Tensor, nn
from torch.optim import AdamW, Muon, Optimizer

from ..model.tokenizer import JointLinear


def build_optimizers(
    model: nn.Module,
    *,
    name: str,
    learning_rate: float,
    weight_decay: float,
    betas: tuple[float, float],
    fused: bool,
) -> list[Optimizer]:
    """``adamw``: one AdamW; ``muon``: Muon for the linear layers of ``model.blocks`` besides.

    Weight decay is for the weights of linear layers and convolutions only.  Muon (Jordan et al.
    2024) orthogonalises a matrix's momentum; its step is scaled to the size of AdamW's (Moonlight,
    arXiv 2502.16982), so that both share one learning rate.
    """
    layers = (nn.Linear, nn.Conv1d, JointLinear)
    decayed = {id(m.weight) for m in model.modules() if isinstance(m, layers)}
    hidden: dict[int, Tensor] = {}
    if name == "muon":
        inner = model.get_submodule("blocks").modules()
        hidden = {id(m.weight): m.weight for m in inner if isinstance(m, nn.Linear)}
    rest = [p for p in model.parameters() if id(p) not in hidden]
    groups = [
        {"params": [p for p in rest if id(p) in decayed], "weight_decay": weight_decay},
        {"params": [p for p in rest if id(p) not in decayed], "weight_decay": 0.0},
    ]
    built: list[Optimizer] = [AdamW(groups, lr=learning_rate, betas=betas, fused=fused)]
    if hidden:
        built.append(
            Muon(
                hidden.values(),
                lr=learning_rate,
                weight_decay=weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    return built
