# SPDX-License-Identifier: Apache-2.0
"""Makes the reference numbers for the tests of optimizers and schedules, with PyTorch's own.

    python3 Tests/Fixtures/optimizers.py

Needs torch and safetensors. Writes Tests/KasaneTests/Fixtures/optimizers.safetensors, which holds

    initial.weight [3, 4], initial.bias [4]      the parameters before the first step, float32
    gradient.weight, gradient.bias               their gradients, [step, ...]
    OPTIMIZER.weight, OPTIMIZER.bias             the parameters after each step
    clip.norm [step], clipped.weight, ...        PyTorch's norms, and the gradients clipped to norm 1.5
    schedule.NAME [step]                         learning rates before each step, float64
    plateau.numbers, plateau.NAME                observations, and the rate after each

Lion is not in PyTorch: it is written out here after its paper (Chen et al. 2023, algorithm 2).
"""
from pathlib import Path

import torch
from safetensors.torch import save_file

STEPS = 15
SCHEDULE_STEPS = 120
PATH = Path(__file__).resolve().parents[1] / "KasaneTests" / "Fixtures" / "optimizers.safetensors"


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                direction = (beta1 * m + (1 - beta1) * p.grad).sign()
                p.sub_(group["lr"] * (direction + group["weight_decay"] * p))
                m.copy_(beta2 * m + (1 - beta2) * p.grad)


def grouped(optimizer, factor, **options):
    """The weight with the options, the bias without decay and at another rate."""
    def make(weight, bias, lr, weight_decay):
        return optimizer(
            [dict(params=[weight], weight_decay=weight_decay), dict(params=[bias], lr=lr * factor, weight_decay=0)],
            lr=lr, **options)
    return make


def plain(optimizer, **options):
    return lambda weight, bias: optimizer([weight, bias], **options)


optim = torch.optim
OPTIMIZERS = {
    "sgd": plain(optim.SGD, lr=0.1),
    "sgd_decay": plain(optim.SGD, lr=0.1, weight_decay=0.1),
    "sgd_momentum": plain(optim.SGD, lr=0.1, momentum=0.9),
    "sgd_dampening": plain(optim.SGD, lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.01),
    "sgd_nesterov": plain(optim.SGD, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adagrad": plain(optim.Adagrad),
    "adagrad_all": plain(
        optim.Adagrad, lr=0.1, lr_decay=0.05, weight_decay=0.1, initial_accumulator_value=0.2, eps=1e-6),
    "rmsprop": plain(optim.RMSprop),
    "rmsprop_centered": plain(optim.RMSprop, lr=0.02, alpha=0.9, centered=True, eps=1e-4),
    "rmsprop_momentum": plain(optim.RMSprop, momentum=0.8, weight_decay=0.1),
    "rmsprop_all": plain(optim.RMSprop, centered=True, momentum=0.8, weight_decay=0.1, eps=1e-4),
    "adadelta": plain(optim.Adadelta),
    "adadelta_decay": plain(optim.Adadelta, lr=0.5, rho=0.8, eps=1e-4, weight_decay=0.1),
    "adam": plain(optim.Adam),
    "adam_all": plain(optim.Adam, lr=0.1, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1),
    "adam_amsgrad": plain(optim.Adam, lr=0.1, betas=(0.8, 0.7), amsgrad=True),
    "adamw": plain(optim.AdamW),
    "adamw_amsgrad": plain(optim.AdamW, lr=0.1, betas=(0.8, 0.7), weight_decay=0.2, amsgrad=True),
    "adamax": plain(optim.Adamax),
    "adamax_decay": plain(optim.Adamax, lr=0.1, betas=(0.8, 0.7), weight_decay=0.1),
    "lion": plain(Lion),
    "lion_decay": plain(Lion, lr=0.05, betas=(0.8, 0.7), weight_decay=0.2),
    "adamw_groups": lambda w, b: grouped(optim.AdamW, 0.1)(w, b, 0.1, 0.3),
    "sgd_groups": lambda w, b: grouped(optim.SGD, 2, momentum=0.5)(w, b, 0.1, 0.3),
}


def schedules():
    s = torch.optim.lr_scheduler
    warm = lambda o, first, steps, then: s.SequentialLR(
        o, [s.LinearLR(o, start_factor=first, total_iters=steps), then(o)], milestones=[steps])
    cosine = lambda o: s.CosineAnnealingWarmRestarts(o, T_0=10, T_mult=2, eta_min=0.01)
    return {
        "step": (0.4, lambda o: s.StepLR(o, step_size=30, gamma=0.5)),
        "multi_step": (0.4, lambda o: s.MultiStepLR(o, milestones=[10, 50, 80], gamma=0.1)),
        "exponential": (0.4, lambda o: s.ExponentialLR(o, gamma=0.97)),
        "polynomial": (0.4, lambda o: s.PolynomialLR(o, total_iters=90, power=2)),
        "linear": (0.4, lambda o: s.LinearLR(o, start_factor=1, end_factor=0.25, total_iters=90)),
        "restarts": (0.4, lambda o: s.CosineAnnealingWarmRestarts(o, T_0=25, eta_min=0.01)),
        "growing_restarts": (0.4, cosine),
        "one_cycle": (0.4, lambda o: s.OneCycleLR(o, max_lr=0.4, total_steps=SCHEDULE_STEPS)),
        "one_cycle_all": (
            0.4, lambda o: s.OneCycleLR(
                o, max_lr=0.4, total_steps=SCHEDULE_STEPS, pct_start=0.45, div_factor=10, final_div_factor=100)),
        "warm_up": (0.4, lambda o: warm(o, 0.1, 20, cosine)),
    }


def run(optimizer, weight, bias, gradients):
    seen = {"weight": [], "bias": []}
    for w, b in zip(*gradients):
        weight.grad, bias.grad = w.clone(), b.clone()
        optimizer.step()
        seen["weight"].append(weight.detach().clone())
        seen["bias"].append(bias.detach().clone())
    return {name: torch.stack(values) for name, values in seen.items()}


def learning_rates(rate, make):
    optimizer = optim.SGD([torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))], lr=rate)
    schedule = make(optimizer)
    rates = []
    for step in range(SCHEDULE_STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step < SCHEDULE_STEPS - 1:
            schedule.step()
    return torch.tensor(rates, dtype=torch.float64)


def plateau(numbers, **options):
    optimizer = optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    rates = []
    for number in numbers.tolist():
        schedule.step(number)
        rates.append(optimizer.param_groups[0]["lr"])
    return torch.tensor(rates, dtype=torch.float64)


def main():
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(1)
    weight, bias = torch.randn(3, 4, generator=generator), torch.randn(4, generator=generator)
    gradients = (
        torch.randn(STEPS, 3, 4, generator=generator), 0.1 * torch.randn(STEPS, 4, generator=generator))
    # A parameter that gets no gradient in some places, as an embedding's rows.
    gradients[0][::3, 1] = 0
    tensors = {"initial.weight": weight, "initial.bias": bias,
               "gradient.weight": gradients[0], "gradient.bias": gradients[1]}
    for name, make in OPTIMIZERS.items():
        w, b = torch.nn.Parameter(weight.clone()), torch.nn.Parameter(bias.clone())
        for part, values in run(make(w, b), w, b, gradients).items():
            tensors[f"{name}.{part}"] = values
    norms, clipped = [], {"weight": [], "bias": []}
    for w, b in zip(*gradients):
        p = [torch.nn.Parameter(weight.clone()), torch.nn.Parameter(bias.clone())]
        p[0].grad, p[1].grad = w.clone(), b.clone()
        norms.append(torch.nn.utils.clip_grad_norm_(p, 1.5))
        clipped["weight"].append(p[0].grad)
        clipped["bias"].append(p[1].grad)
    tensors["clip.norm"] = torch.stack(norms)
    tensors |= {f"clipped.{name}": torch.stack(values) for name, values in clipped.items()}
    for name, (rate, make) in schedules().items():
        tensors[f"schedule.{name}"] = learning_rates(rate, make)
    numbers = 1 / (1 + 0.1 * torch.arange(60.0, dtype=torch.float64)).floor() + 0.001 * torch.randn(
        60, generator=generator, dtype=torch.float64)
    tensors["plateau.numbers"] = numbers
    tensors["plateau.default"] = plateau(numbers)
    tensors["plateau.all"] = plateau(
        numbers, factor=0.5, patience=2, cooldown=3, min_lr=0.05, threshold=0.002, threshold_mode="abs")
    tensors["plateau.up"] = plateau(-numbers, mode="max", factor=0.5, patience=1, threshold=0.01)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, PATH)
    print(f"{PATH.name}: {len(tensors)} tensors, torch {torch.__version__}")


if __name__ == "__main__":
    main()
