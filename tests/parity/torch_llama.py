"""The Llama of a Hugging Face config.json in plain PyTorch, the peer that llmtool's training is
compared with: parameters named as in model.safetensors, attention by PyTorch's fused operator.

    python tests/parity/torch_llama.py     # checks it against the goldens of transformers
"""

import json
import math
import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

IGNORED = -100
GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"


def rope_settings(config):
    """rope_theta and the scaling, from the keys before or since transformers 5."""
    given = config.get("rope_parameters") or config.get("rope_scaling") or {}
    theta = given.get("rope_theta") or config.get("rope_theta") or 10000.0
    return theta, given if given.get("rope_type", "default") != "default" else None


def inverse_frequencies(config, head_dim):
    theta, scaling = rope_settings(config)
    freq = 1.0 / theta ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
    if scaling is None:
        return freq
    if scaling["rope_type"] != "llama3":
        raise ValueError(f"rope_type {scaling['rope_type']}: only default and llama3 are known")
    turns = scaling["original_max_position_embeddings"] * freq / (2 * math.pi)
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    smooth = ((turns - low) / (high - low)).clamp(0, 1)
    return (1 - smooth) * freq / scaling["factor"] + smooth * freq


def rotate(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


class Attention(nn.Module):
    def __init__(self, config, head_dim):
        super().__init__()
        hidden = config["hidden_size"]
        self.heads = config["num_attention_heads"]
        self.kv_heads = config.get("num_key_value_heads") or self.heads
        self.head_dim = head_dim
        self.q_proj = nn.Linear(hidden, self.heads * head_dim, bias=False)
        self.k_proj = nn.Linear(hidden, self.kv_heads * head_dim, bias=False)
        self.v_proj = nn.Linear(hidden, self.kv_heads * head_dim, bias=False)
        self.o_proj = nn.Linear(self.heads * head_dim, hidden, bias=False)

    def forward(self, x, cos, sin, mask):
        rows, length, _ = x.shape
        q = self.q_proj(x).view(rows, length, self.heads, self.head_dim).transpose(1, 2)
        k = self.k_proj(x).view(rows, length, self.kv_heads, self.head_dim).transpose(1, 2)
        v = self.v_proj(x).view(rows, length, self.kv_heads, self.head_dim).transpose(1, 2)
        out = F.scaled_dot_product_attention(
            rotate(q, cos, sin), rotate(k, cos, sin), v, attn_mask=mask, is_causal=mask is None,
            enable_gqa=self.kv_heads != self.heads)
        return self.o_proj(out.transpose(1, 2).reshape(rows, length, -1))


class Mlp(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden, inner = config["hidden_size"], config["intermediate_size"]
        self.gate_proj = nn.Linear(hidden, inner, bias=False)
        self.up_proj = nn.Linear(hidden, inner, bias=False)
        self.down_proj = nn.Linear(inner, hidden, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self, config, head_dim):
        super().__init__()
        eps = config["rms_norm_eps"]
        self.input_layernorm = nn.RMSNorm(config["hidden_size"], eps=eps)
        self.self_attn = Attention(config, head_dim)
        self.post_attention_layernorm = nn.RMSNorm(config["hidden_size"], eps=eps)
        self.mlp = Mlp(config)

    def forward(self, x, cos, sin, mask):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    def __init__(self, config, head_dim):
        super().__init__()
        self.embed_tokens = nn.Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = nn.ModuleList(
            Block(config, head_dim) for _ in range(config["num_hidden_layers"]))
        self.norm = nn.RMSNorm(config["hidden_size"], eps=config["rms_norm_eps"])


class Llama(nn.Module):
    def __init__(self, config):
        super().__init__()
        head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
        self.model = Decoder(config, head_dim)
        self.lm_head = nn.Linear(config["hidden_size"], config["vocab_size"], bias=False)
        if config.get("tie_word_embeddings"):
            self.lm_head.weight = self.model.embed_tokens.weight
        angle = torch.outer(torch.arange(config["max_position_embeddings"], dtype=torch.float32),
                            inverse_frequencies(config, head_dim))
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def forward(self, ids, positions=None, mask=None):
        """Logits (B, T, V) of ids (B, T): rows from position 0, causal; or at `positions` (B, T)
        with attention where `mask` (B, 1, T, T) is true."""
        x = self.model.embed_tokens(ids)
        if positions is None:
            cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        else:
            cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        for layer in self.model.layers:
            x = layer(x, cos.to(x.dtype), sin.to(x.dtype), mask)
        return self.lm_head(self.model.norm(x))

    def loss(self, ids, targets, positions=None, mask=None):
        """Mean cross-entropy of the targets that are not -100."""
        logits = self(ids, positions, mask).flatten(0, 1)
        return F.cross_entropy(logits.float(), targets.flatten(), ignore_index=IGNORED)


def document_mask(starts):
    """Positions (B, T) and mask (B, 1, T, T) of rows that hold several documents; starts (B, T) is
    true at the first token of each. The first token of a row starts one in any case."""
    starts = starts.clone()
    starts[:, 0] = True
    document = starts.cumsum(1)
    place = torch.arange(starts.shape[1]).expand_as(document)
    positions = place - torch.where(starts, place, 0).cummax(1).values
    same = document[:, None, :, None] == document[:, None, None, :]
    return positions, same & torch.ones(same.shape[-2:], dtype=torch.bool).tril()


def load_config(path):
    path = pathlib.Path(path)
    return json.loads((path / "config.json" if path.is_dir() else path).read_text())


def load_model(folder):
    """The model of a checkpoint folder, in f32."""
    model = Llama(load_config(folder))
    weights = load_file(pathlib.Path(folder) / "model.safetensors")
    missing, unexpected = model.load_state_dict({k: w.float() for k, w in weights.items()},
                                                strict=False)
    if [name for name in missing if name != "lm_head.weight"] or unexpected:
        raise ValueError(f"{folder}: missing {missing}, unexpected {unexpected}")
    return model


def make_optimizer(model, lr=0.0, weight_decay=0.1, betas=(0.9, 0.95), eps=1e-8):
    """AdamW as llmtool's: decay on the matrices only, embeddings included."""
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": weight_decay},
              {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=lr, betas=betas, eps=eps, fused=True)


def clip_gradients(model, clip):
    """Scales the gradients to the norm `clip` at most; the norm before. Summed in f64: the f32 sum
    of torch.nn.utils.clip_grad_norm_ is off by 5e-5 on the quickstart model, and the curves would
    part sooner."""
    gradients = [p.grad for p in model.parameters()]
    norm = torch.linalg.vector_norm(
        torch.stack([torch.linalg.vector_norm(g, dtype=torch.float64) for g in gradients]))
    torch._foreach_mul_(gradients, float(min(1.0, clip / norm.item())))
    return norm


def train_step(model, optimizer, batch, lr, clip):
    """One step; the loss before it and the gradient norm before clipping, as tensors. `batch`: the
    arguments of loss."""
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.zero_grad(set_to_none=True)
    loss = model.loss(*batch)
    loss.backward()
    norm = clip_gradients(model, clip)
    optimizer.step()
    return loss.detach(), norm


def check_against_golden(folder, limit=2e-5):
    want = load_file(folder / "golden.safetensors")
    model = load_model(folder)
    starts = want["packed.position_ids"] == 0
    got = {}
    for part, masked in (("batch", ()), ("packed", document_mask(starts))):
        ids, targets = want[f"{part}.input_ids"].long(), want[f"{part}.targets"].long()
        got |= {f"{part}.logits": model(ids, *masked).detach()}
        model.zero_grad()
        model.loss(ids, targets, *masked).backward()
        got |= {f"{part}.grad.{name}": p.grad.clone() for name, p in model.named_parameters()}
    optimizer = make_optimizer(model)
    losses = []
    for step, lr in enumerate(want["train.lr"].tolist()):
        batch = want["train.input_ids"][step].long(), want["train.targets"][step].long()
        loss, _ = train_step(model, optimizer, batch, lr, want["train.clip"].item())
        losses.append(loss)
    got |= {"train.loss": torch.stack(losses)}
    got |= {f"train.final.{name}": p.detach() for name, p in model.named_parameters()}
    worst = max(((got[k] - want[k]).abs().max() / want[k].abs().max()).item() for k in got)
    print(f"{folder.name}: {len(got)} tensors, largest difference {worst:.1e} of the largest "
          f"element, limit {limit:.0e}")
    return worst <= limit


if __name__ == "__main__":
    sys.exit(0 if all([check_against_golden(f) for f in sorted(GOLDEN.glob("llama_tiny*"))]) else 1)
