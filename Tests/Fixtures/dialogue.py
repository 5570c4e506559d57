# SPDX-License-Identifier: Apache-2.0
"""Makes the reference numbers for the dialogue models, with PyTorch's own modules, dialogue by dialogue and turn by turn.

    python3 Tests/Fixtures/dialogue.py    # writes Tests/KasaneModelsTests/Fixtures/Dialogue/*.safetensors
"""
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

WORDS, FEATURES, HIDDEN, CONTEXT, LATENT = 9, 3, 4, 5, 2
DIALOGUES = [[[2, 3, 4], [5], [6, 7]], [[8, 2], [3, 3, 5, 2]], [[4], [2, 8], [7, 6, 5], [3]]]


class Model(nn.Module):
    def __init__(self, both, latent):
        super().__init__()
        meaning, given = HIDDEN * (2 if both else 1), CONTEXT + (LATENT if latent else 0)
        self.embedding = nn.Embedding(WORDS, FEATURES)
        self.encoder = nn.GRU(FEATURES, HIDDEN, batch_first=True, bidirectional=both)
        self.context = nn.GRU(meaning, CONTEXT, batch_first=True)
        self.initial = nn.Linear(given, HIDDEN)
        self.decoder = nn.GRU(FEATURES + given, HIDDEN, batch_first=True)
        self.stateOutput = nn.Linear(HIDDEN, FEATURES)
        self.wordOutput = nn.Linear(FEATURES, FEATURES, bias=False)
        self.output = nn.Linear(FEATURES, WORDS)
        if latent:
            self.latent = nn.ModuleDict({
                "priorHidden": nn.Linear(CONTEXT, HIDDEN), "priorOutput": nn.Linear(HIDDEN, 2 * LATENT),
                "posteriorHidden": nn.Linear(CONTEXT + meaning, HIDDEN),
                "posteriorOutput": nn.Linear(HIDDEN, 2 * LATENT),
                "bagHidden": nn.Linear(given, HIDDEN), "bagOutput": nn.Linear(HIDDEN, WORDS),
            })
        for cells in (self.context, self.decoder, self.encoder):
            nn.init.uniform_(cells.bias_ih_l0, -0.5, 0.5)

    def forward(self, remembers, noise):
        words, divergence, bag, reply = 0, 0, 0, 0
        latent = getattr(self, "latent", None)
        for turns in DIALOGUES:
            meanings = [
                torch.cat(list(self.encoder(self.embedding(torch.tensor([t])))[1]), 1) for t in turns
            ]
            state = None
            for n in range(1, len(turns)):
                _, state = self.context(meanings[n - 1].unsqueeze(1), state if remembers else None)
                given = context = state[0]
                target = torch.tensor([turns[n] + [0]])
                if latent:
                    hidden = torch.tanh(latent["priorHidden"](context))
                    mean, log_variance = latent["priorOutput"](hidden).chunk(2, 1)
                    hidden = torch.tanh(latent["posteriorHidden"](torch.cat([context, meanings[n]], 1)))
                    own_mean, own_log_variance = latent["posteriorOutput"](hidden).chunk(2, 1)
                    prior = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
                    posterior = torch.distributions.Normal(own_mean, (0.5 * own_log_variance).exp())
                    divergence = divergence + torch.distributions.kl_divergence(posterior, prior).sum()
                    given = torch.cat([context, own_mean + noise[reply] * posterior.scale], 1)
                    logits = latent["bagOutput"](torch.tanh(latent["bagHidden"](given)))
                    bag = bag + F.cross_entropy(logits.expand(target.shape[1], -1), target[0], reduction="sum")
                seen = self.embedding(torch.tensor([[0] + turns[n]]))
                wide = given.unsqueeze(1).expand(-1, seen.shape[1], -1)
                first = torch.tanh(self.initial(given)).unsqueeze(0)
                states = self.decoder(torch.cat([seen, wide], 2), first)[0]
                logits = self.output(self.stateOutput(states) + self.wordOutput(seen))
                words = words + F.cross_entropy(logits[0], target[0], reduction="sum")
                reply += 1
        return (words, divergence, bag) if latent else (words,)


directory = Path(__file__).parent.parent / "KasaneModelsTests/Fixtures/Dialogue"
directory.mkdir(parents=True, exist_ok=True)
for name, both, latent, remembers in (
    ("hred", True, False, True), ("last-turn", False, False, False), ("vhred", False, True, True),
):
    torch.manual_seed(len(name))
    model = Model(both, latent)
    noise = torch.randn(6, LATENT)
    costs = model(remembers, noise)
    sum((n + 1) * cost for n, cost in enumerate(costs)).backward()
    tensors = {"noise": noise, "costs": torch.stack(costs).detach()}
    for key, parameter in model.named_parameters():
        tensors[f"weight.{key}"] = parameter.detach()
        tensors[f"gradient.weight.{key}"] = parameter.grad
    save_file({n: t.contiguous().clone() for n, t in tensors.items()}, directory / f"{name}.safetensors")
