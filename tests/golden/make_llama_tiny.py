#!/usr/bin/env python3
"""Makes tests/golden/llama_tiny*: tiny Llamas and what transformers computes with them.

    python tests/golden/make_llama_tiny.py            # writes the folders beside this file

Needs torch, transformers and safetensors (made with torch 2.15.0, transformers 5.23.0). Each folder
is a Hugging Face checkpoint (config.json, model.safetensors in f32) and golden.safetensors. The
reference runs in float64 with weights that f32 represents, so it is exact to about 1e-7 (the RMS
norm and the rotary table of transformers stay in f32). B rows of T positions; targets are the ids
that follow, -100 where there is none or the loss leaves it out:

    batch.input_ids, batch.targets (B, T) i32; batch.logits (B, T, V); batch.loss (1)
    batch.grad.<parameter>                  d loss / d parameter, loss = mean over the targets
    packed.*                                one row of several documents that do not see each other:
                                            input_ids, targets, logits, loss, grad.*, and
                                            document_lengths (i32), position_ids from 0 in each
    train.input_ids, train.targets (S, B, T); train.lr (S); train.loss, train.grad_norm (S)
    train.final.<parameter>                 after S steps of AdamW (0.9, 0.95), eps 1e-8, weight
                                            decay 0.1 on parameters of two dimensions, gradients
                                            clipped to the norm train.clip (1)
    generate.prompt (P), generate.ids (G)   the greedy continuation

A tied model has one tensor for both ends, model.embed_tokens.weight, and its gradient is the sum.
"""

import json
import os
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

HERE = pathlib.Path(__file__).resolve().parent
STEPS = 10
IGNORED = -100

# The keys of config.json as they stand in the files people have: before transformers 5 rope_theta
# and rope_scaling, since then rope_parameters.
COMMON = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 97,
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
    "attention_dropout": 0.0,
    "initializer_range": 0.02,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
MODELS = {
    # Tied, grouped heads, heads * head_dim != hidden_size, sizes that fill no vector register.
    "llama_tiny": {
        "torch_dtype": "float32", "hidden_size": 36, "intermediate_size": 52,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 10,
        "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "rope_scaling": None, "tie_word_embeddings": True,
    },
    # Untied, one key/value head, head_dim left out, another eps and theta, three layers.
    "llama_tiny_untied": {
        "torch_dtype": "float32", "hidden_size": 30, "intermediate_size": 44,
        "num_hidden_layers": 3, "num_attention_heads": 5, "num_key_value_heads": 1,
        "max_position_embeddings": 128, "rms_norm_eps": 1e-6, "rope_theta": 500000.0,
        "tie_word_embeddings": False,
    },
    # Llama 3's stretched rotary frequencies, all three of its ranges in use, in the newer keys.
    "llama_tiny_llama3": {
        "dtype": "float32", "hidden_size": 32, "intermediate_size": 56,
        "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 16,
        "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "tie_word_embeddings": True,
        "rope_parameters": {
            "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 32,
        },
    },
}
SHAPES = {  # seed, B, T, document lengths of the packed row, norm to clip at (some steps are under)
    "llama_tiny": (1, 3, 23, (11, 1, 17), 2.0),
    "llama_tiny_untied": (4, 2, 70, (7, 66), 1.0),
    "llama_tiny_llama3": (3, 2, 75, (40, 35), 1.4),
}


def fill(model, generator):
    """Weights large enough that every part of the model matters, rounded to f32."""
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator, dtype=torch.float64)
        if p.dim() == 1:
            value = 1 + 0.2 * noise
        else:
            spread = 0.4 if "embed_tokens" in name or "lm_head" in name else 1.2
            value = noise * spread / p.shape[1] ** 0.5
        p.data.copy_(value.float().double())


def ids_and_targets(rows, length, vocab, generator, left_out=0.05):
    ids = torch.randint(3, vocab, (rows, length), generator=generator)
    targets = torch.full_like(ids, IGNORED)
    targets[:, :-1] = ids[:, 1:]
    targets[torch.rand(ids.shape, generator=generator) < left_out] = IGNORED
    return ids, targets


def mean_loss(logits, targets):
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=IGNORED)


def gradients(model):
    return {name: p.grad.clone() for name, p in model.named_parameters()}


def batch_golden(model, rows, length, generator):
    ids, targets = ids_and_targets(rows, length, model.config.vocab_size, generator)
    model.zero_grad()
    logits = model(ids).logits
    loss = mean_loss(logits, targets)
    loss.backward()
    labels = torch.full_like(ids, IGNORED)
    labels[:, 1:] = targets[:, :-1]
    assert abs((model(ids, labels=labels).loss - loss).item()) < 1e-5, "transformers' own loss"
    out = {"input_ids": ids, "targets": targets, "logits": logits.detach(), "loss": loss.detach()}
    return out | {f"grad.{k}": v for k, v in gradients(model).items()}


def packed_golden(model, lengths, generator, dtype):
    total = sum(lengths)
    ids, targets = ids_and_targets(1, total, model.config.vocab_size, generator, left_out=0)
    document = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    positions = torch.cat([torch.arange(n) for n in lengths])[None]
    ends = torch.cumsum(torch.tensor(lengths), 0) - 1
    targets[0, ends] = IGNORED
    seen = (document[:, None] == document[None, :]) & torch.ones(total, total).tril().bool()
    mask = torch.zeros(total, total, dtype=dtype).masked_fill(~seen, float("-inf"))[None, None]
    model.zero_grad()
    logits = model(ids, attention_mask=mask, position_ids=positions).logits
    loss = mean_loss(logits, targets)
    loss.backward()
    with torch.no_grad():  # each document by itself says the same
        alone = torch.cat([model(part).logits for part in ids.split(list(lengths), dim=1)], 1)
    assert (alone - logits).abs().max() < (1e-9 if dtype == torch.float64 else 1e-4)
    out = {"input_ids": ids, "targets": targets, "logits": logits.detach(), "loss": loss.detach(),
           "document_lengths": torch.tensor(lengths), "position_ids": positions}
    return out | {f"grad.{k}": v for k, v in gradients(model).items()}


def learning_rate(step):
    return 2e-3 * (step + 1) / 3 if step < 3 else 2e-3 * (1 - 0.1 * (step - 3))


def train_golden(model, rows, length, clip, generator):
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
        betas=(0.9, 0.95), eps=1e-8)
    pair = [ids_and_targets(rows, length, model.config.vocab_size, generator) for _ in range(2)]
    batches = [pair[step % 2] for step in range(STEPS)]
    losses, norms, rates = [], [], []
    for step, (ids, targets) in enumerate(batches):
        rates.append(torch.tensor(learning_rate(step), dtype=torch.float32))
        for group in optimizer.param_groups:
            group["lr"] = float(rates[-1])
        optimizer.zero_grad()
        loss = mean_loss(model(ids).logits, targets)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), clip))
        losses.append(loss.detach())
        optimizer.step()
    out = {"input_ids": torch.stack([b[0] for b in batches]),
           "targets": torch.stack([b[1] for b in batches]), "lr": torch.stack(rates),
           "clip": torch.tensor(clip), "loss": torch.stack(losses), "grad_norm": torch.stack(norms)}
    return out | {f"final.{k}": p.detach().clone() for k, p in model.named_parameters()}


def generate_golden(model, generator):
    prompt = torch.randint(3, model.config.vocab_size, (1, 9), generator=generator)
    ids, margin = prompt, float("inf")
    with torch.no_grad():
        for _ in range(14):
            logits = model(ids).logits[0, -1]
            best = logits.topk(2)
            margin = min(margin, float(best.values[0] - best.values[1]))
            ids = torch.cat([ids, best.indices[:1][None]], 1)
    assert margin > 1e-3, f"the greedy choice is nearly a tie ({margin}): take another seed"
    return {"prompt": prompt[0], "ids": ids[0, prompt.shape[1]:]}


def golden(folder, rows, length, lengths, clip, seed, dtype):
    """The golden tensors of the checkpoint in `folder`, computed in `dtype`."""
    model = LlamaForCausalLM.from_pretrained(folder, attn_implementation="sdpa", dtype=dtype)
    model.train()
    parts = {
        "batch": lambda g: batch_golden(model, rows, length, g),
        "packed": lambda g: packed_golden(model, lengths, g, dtype),
        "generate": lambda g: generate_golden(model, g),
        "train": lambda g: train_golden(model, rows, length, clip, g),  # last: changes the weights
    }
    out = {}
    for index, (part, make) in enumerate(parts.items()):
        made = make(torch.Generator().manual_seed(seed * 10 + index))
        out |= {f"{part}.{name}": value for name, value in made.items()}
    return out


def store(value):
    value = value.reshape(1) if value.dim() == 0 else value
    return value.to(torch.float32 if value.is_floating_point() else torch.int32).contiguous()


def show_f32_noise(exact, rough):
    """How far f32 arithmetic lands from f64: the floor of what a test may ask."""
    worst = {}
    for name, value in exact.items():
        if value.is_floating_point():
            kind = ".".join(name.split(".")[:2])
            scale = float(value.abs().max()) or 1.0
            off = float((value.double() - rough[name].double()).abs().max()) / scale
            worst[kind] = max(worst.get(kind, 0.0), off)
    print("  f32 against f64, of the largest element:",
          ", ".join(f"{k} {v:.1e}" for k, v in worst.items()))


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    total = 0
    for name, keys in MODELS.items():
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        config = COMMON | keys
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        model = LlamaForCausalLM(LlamaConfig(**config)).double()
        seed, rows, length, lengths, clip = SHAPES[name]
        fill(model, torch.Generator().manual_seed(seed))
        weights = {k: p.detach().float().contiguous() for k, p in model.named_parameters()}
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        exact = golden(folder, rows, length, lengths, clip, seed, torch.float64)
        save_file({k: store(v) for k, v in exact.items()}, folder / "golden.safetensors")
        for file in folder.iterdir():
            file.chmod(0o644)
        size = sum(os.path.getsize(folder / f) for f in os.listdir(folder))
        total += size
        print(f"{name}: {sum(w.numel() for w in weights.values())} parameters, {size} bytes, "
              f"loss {float(exact['batch.loss']):.4f}, train loss "
              f"{float(exact['train.loss'][0]):.3f} -> {float(exact['train.loss'][-1]):.3f}, "
              f"gradient norm {float(exact['train.grad_norm'].min()):.2f} to "
              f"{float(exact['train.grad_norm'].max()):.2f}")
        show_f32_noise(exact, golden(folder, rows, length, lengths, clip, seed, torch.float32))
    print(f"{total} bytes in all")


if __name__ == "__main__":
    main()
