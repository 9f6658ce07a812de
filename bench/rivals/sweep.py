"""PyTorch's side of bench/sweep.ts: PGD at every radius as a plain loop has it, one sweep for every line on standard input.

    sweep.py CLOCK CHECKPOINT IMAGES STEPS STEP RADIUS ...

CLOCK is `wall` or `processor`, by which seconds are counted. IMAGES holds `images` [N, H, W, C], `labels` [N] and the `logits` [N, classes] that the other side has for them: the twin
must have the same before anything is timed. Prints "ready VERSION SETTING" once it has, then for every sweep the clean
pass and every radius as SECONDS:STANDING, a digit for each image: 1 where all candidates were classified correctly.
"""
import json
import os
import sys
import time

import torch
import torch.nn.functional as F
from networks import resnet, vgg16
from safetensors import safe_open
from safetensors.torch import load_file

FORMATS = {"channels-last": torch.channels_last, "channels-first": torch.contiguous_format}
BATCHES = [64, 128, 256]
TOLERANCE = 1e-4
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


def network(path):
    """The twin of a checkpoint, with its weights."""
    with safe_open(path, "pt") as file:
        spec = json.loads(file.metadata()["network"])
    arch, variant, width, classes, channels = spec["arch"], spec["variant"], spec["width"], spec["classes"], spec["input"][2]
    if (arch, variant) == ("vgg16", "small"):
        model = vgg16(width, channels, classes, True)
    elif (arch, variant) == ("resnet18", "small"):
        model = resnet([int(size * width) for size in (64, 128, 256, 512)], 2, channels, classes)
    else:
        raise SystemExit(f"there is no twin of {arch} in its {variant} form")
    missing, unexpected = model.load_state_dict(load_file(path), strict=False)
    strays = [name for name in missing if not name.endswith("num_batches_tracked")] + unexpected
    if strays:
        raise SystemExit(f"the weights do not fit the twin: {', '.join(strays)}")
    return model.eval().requires_grad_(False)


def gradient_step(model, z, x, y, epsilon, step):
    """The next candidate, and whether this one is classified correctly."""
    z = z.detach().requires_grad_(True)
    logits = model(z)
    (gradient,) = torch.autograd.grad(F.cross_entropy(logits, y, reduction="sum"), z)
    with torch.no_grad():
        moved = z + step * gradient.sign()
        return torch.min(torch.max(moved, x - epsilon), x + epsilon).clamp(0, 1), logits.argmax(1) == y


@torch.no_grad()
def correct(model, x, y):
    return model(x).argmax(1) == y


def pgd(model, x, y, epsilon, steps, step, generator):
    """Whether every candidate on the way is classified correctly, the random start and the last one among them."""
    noise = torch.empty_like(x).uniform_(-epsilon, epsilon, generator=generator)
    z, standing = (x + noise).clamp(0, 1), torch.ones(len(x), dtype=torch.bool)
    for _ in range(steps):
        z, holds = gradient_step(model, z, x, y, epsilon, step)
        standing &= holds
    return standing & correct(model, z, y)


def fastest(model, x, y, now):
    """The memory format and size of batches in which a step over all images takes the least time: the best of five each."""
    times = {(name, batch): [] for name in FORMATS for batch in BATCHES}
    # In turns, so that a slow moment of the machine falls on all; the first of each is for warming up.
    for turn in range(6):
        for (name, batch), taken in times.items():
            model.to(memory_format=FORMATS[name])
            parts = list(zip(x.contiguous(memory_format=FORMATS[name]).split(batch), y.split(batch)))
            started = now()
            for part, labels in parts:
                gradient_step(model, part, part, labels, 0.1, 0.01)
            if turn > 0:
                taken.append(now() - started)
    return min(times, key=lambda setting: min(times[setting]))


def main():
    clock, checkpoint, file, steps, step, *radii = sys.argv[1:]
    now = CLOCKS[clock]
    steps, step, radii = int(steps), float(step), [float(radius) for radius in radii]
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    model, given = network(checkpoint), load_file(file)
    x, y = given["images"].permute(0, 3, 1, 2), given["labels"].long()
    with torch.no_grad():
        difference = (model(x) - given["logits"]).abs().max().item()
    if not difference <= TOLERANCE:
        raise SystemExit(f"the twin's logits differ by up to {difference:.1e}")
    name, batch = fastest(model, x, y, now)
    model.to(memory_format=FORMATS[name])
    batches = list(zip(x.contiguous(memory_format=FORMATS[name]).split(batch), y.split(batch)))
    print("ready", torch.__version__, f"batches of {batch}, {name}", flush=True)
    generator = torch.Generator().manual_seed(0)
    for _ in sys.stdin:
        answer = []
        started = now()
        clean = torch.cat([correct(model, *part) for part in batches])
        answer.append((now() - started, clean))
        for radius in radii:
            started = now()
            standing = torch.cat([pgd(model, *part, radius, steps, step, generator) for part in batches])
            answer.append((now() - started, standing & clean))
        print(*(f"{seconds}:{''.join(map(str, held.int().tolist()))}" for seconds, held in answer), flush=True)


main()
