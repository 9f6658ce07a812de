"""Makes training.json beside this file: python make.py (needs torch alone).

The losses of training, and whole updates of a tiny network, computed in float64. Weights, images and draws are pure functions
of a key and an index, as test/models/oracle-weights.ts states them.
"""

import copy
import json
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
HERE = pathlib.Path(__file__).parent
MASK = 0xFFFFFFFF


def uniform(key, shape):
    """Numbers in [-1, 1): one per index, in C order."""
    seed = 0x811C9DC5
    for byte in key.encode():
        seed = ((seed ^ byte) * 0x01000193) & MASK
    count = int(torch.Size(shape).numel())
    x = (torch.arange(count, dtype=torch.int64) * 0x9E3779B9 + seed) & MASK
    x = x ^ (x >> 16)
    x = (x * 0x7FEB352D) & MASK
    x = x ^ (x >> 15)
    x = (x * 0x846CA68B) & MASK
    x = x ^ (x >> 16)
    return ((x >> 8).double() / 2**24 * 2 - 1).reshape(shape)


def digits(tensor):
    return [float(f"{x:.9g}") for x in tensor.detach().flatten().tolist()]


# ---------------------------------------------------------------------------------------------------- losses

P = torch.cat([4 * uniform("p", (5, 5)), torch.tensor([[0.0, 25, 0, 1, -3], [0, 0, 0, 0, 0]])])
Q = torch.cat([4 * uniform("q", (5, 5)), torch.tensor([[1.0, 22, 0, 3, -3], [1, 1, 0, 0, -40]])])
Y = torch.tensor([0, 3, 2, 4, 1, 1, 2])


def boosted(logits, y):
    """MART's boosted cross-entropy less the plain one."""
    p = logits.softmax(1)
    wrong = p.masked_fill(F.one_hot(y, p.shape[1]).bool(), -1).max(1).values
    return -torch.log(1 - wrong)


def divergence(p, q):
    return F.kl_div(F.log_softmax(q, 1), F.softmax(p, 1), reduction="none").sum(1)


def with_gradients(f):
    p, q = P.clone().requires_grad_(), Q.clone().requires_grad_()
    value = f(p, q)
    gradients = torch.autograd.grad(value.sum(), [p, q], allow_unused=True)
    return {"value": digits(value), "gradients": [None if g is None else digits(g) for g in gradients]}


def losses():
    smooth = lambda s: lambda p, q: F.cross_entropy(p, Y, label_smoothing=s, reduction="none")
    return {
        "p": digits(P),
        "q": digits(Q),
        "y": Y.tolist(),
        "smoothed 0": with_gradients(smooth(0.0)),
        "smoothed 0.1": with_gradients(smooth(0.1)),
        "smoothed 1": with_gradients(smooth(1.0)),
        "divergence": with_gradients(divergence),
        "wrong certainty": with_gradients(lambda p, q: boosted(q, Y)),
    }


def clipping():
    gradients = [uniform("g1", (2, 3)), 3 * uniform("g2", (4,))]

    def clipped(longest):
        weights = [nn.Parameter(torch.zeros_like(g)) for g in gradients]
        for weight, g in zip(weights, gradients):
            weight.grad = g.clone()
        nn.utils.clip_grad_norm_(weights, longest)
        return [digits(weight.grad) for weight in weights]

    return {str(longest): clipped(longest) for longest in [0.5, 2, 1000]}


# --------------------------------------------------------------------------------------------------- updates

SHAPE, CLASSES, EPSILON, STEP = (6, 1, 6, 6), 3, 0.1, 0.06
X, LABELS = (uniform("input", SHAPE) + 1) / 2, torch.tensor([0, 2, 1, 0, 1, 2])
UNIFORM, NORMAL = (uniform("draw", SHAPE) + 1) / 2, 2 * uniform("draw", SHAPE)


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
        self.dense = nn.Linear(6, CLASSES)

    def forward(self, x):
        x = (x - 0.5) / 0.5
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return self.dense(x.mean((2, 3)))


def fill(model):
    state = model.state_dict()
    for key, value in state.items():
        if key.endswith("num_batches_tracked"):
            continue
        u, normalises = uniform(key, value.shape), key.startswith("bn")
        if value.dim() > 1:
            state[key] = u * (6 / value[0].numel()) ** 0.5
        elif key.endswith("running_var"):
            state[key] = 1 + 0.2 * u
        elif normalises:
            state[key] = (1 if key.endswith("weight") else 0) + 0.1 * u
        else:
            state[key] = 0.05 * u
    model.load_state_dict(state)


def still(model):
    """Training mode whose running statistics stay."""
    twin = copy.deepcopy(model)
    twin.train()
    for module in twin.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.0
    return twin


def inference(model):
    return copy.deepcopy(model).eval()


def project(x, centre):
    return torch.min(torch.max(x, centre - EPSILON), centre + EPSILON).clamp(0, 1)


def ascend(start, centre, objective, steps, step):
    x = start
    for _ in range(steps):
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(objective(x), x)
        x = project(x.detach() + step * gradient.sign(), centre)
    return x.detach()


def random_start():
    return (X + EPSILON * (2 * UNIFORM - 1)).clamp(0, 1)


def fgsm_rs(model):
    attacked = still(model)
    x = ascend(random_start(), X, lambda z: F.cross_entropy(attacked(z), LABELS), 1, 1.25 * EPSILON)
    return F.cross_entropy(model(x), LABELS)


def n_fgsm(model):
    attacked = still(model)
    noisy = (X + 2 * EPSILON * (2 * UNIFORM - 1)).clamp(0, 1)
    x = ascend(noisy, noisy, lambda z: F.cross_entropy(attacked(z), LABELS), 1, EPSILON)
    return F.cross_entropy(model(x), LABELS)


def trades(model, beta=6):
    attacked = inference(model)
    clean = attacked(X).detach()
    x = ascend(X + 0.001 * NORMAL, X, lambda z: divergence(clean, attacked(z)).sum(), 2, STEP)
    answers = model(X)
    return F.cross_entropy(answers, LABELS) + beta * divergence(answers, model(x)).mean()


def mart(model, weight=5):
    attacked = inference(model)
    x = ascend(X + 0.001 * NORMAL, X, lambda z: F.cross_entropy(attacked(z), LABELS), 2, STEP)
    clean, answers = model(X), model(x)
    doubt = 1 - clean.softmax(1).gather(1, LABELS[:, None])[:, 0]
    loss = F.cross_entropy(answers, LABELS, reduction="none") + boosted(answers, LABELS)
    return (loss + weight * divergence(clean, answers) * doubt).mean()


def after(update, steps):
    """Losses before each of some updates, and all weights and running statistics after the last."""
    model = Tiny()
    fill(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    state, told = {}, []
    for _ in range(steps):
        model.train()
        optimizer.zero_grad()
        told.append(update(model, state))
        optimizer.step()
    weights = {k: digits(v) for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    return {"losses": told, "weights": weights}


def lowering(loss):
    def update(model, state):
        value = loss(model)
        value.backward()
        return value.item()

    return update


def free(model, state):
    """One replay: a single backward pass for the weights' gradient and the images'."""
    delta = state.get("delta", torch.zeros(SHAPE)).clone().requires_grad_()
    value = F.cross_entropy(model((X + delta).clamp(0, 1)), LABELS)
    value.backward()
    state["delta"] = (delta.detach() + EPSILON * delta.grad.sign()).clamp(-EPSILON, EPSILON)
    return value.item()


def awp(model, state, gamma=0.02):
    attacked = inference(model)
    x = ascend(random_start(), X, lambda z: F.cross_entropy(attacked(z), LABELS), 2, STEP)
    # The proxy of the authors' program: one step of plain ascent, then scaled layer by layer.
    proxy = still(model)
    descent = torch.optim.SGD(proxy.parameters(), lr=0.01)
    descent.zero_grad()
    (-F.cross_entropy(proxy(x), LABELS)).backward()
    descent.step()
    moved = []
    with torch.no_grad():
        for weight, other in zip(model.parameters(), proxy.parameters()):
            if weight.dim() <= 1:
                continue
            difference = other - weight
            moved.append((weight, weight.clone()))
            weight.add_(gamma * weight.norm() / (difference.norm() + 1e-20) * difference)
    value = F.cross_entropy(model(x), LABELS)
    value.backward()
    with torch.no_grad():
        for weight, own in moved:
            weight.copy_(own)
    return value.item()


def updates():
    return {
        "fgsm-rs": after(lowering(fgsm_rs), 2),
        "n-fgsm": after(lowering(n_fgsm), 2),
        "trades": after(lowering(trades), 2),
        "mart": after(lowering(mart), 2),
        "free": after(free, 3),
        "awp": after(awp, 2),
    }


made_with = f"torch {torch.__version__}, float64"
content = {"made_with": made_with, "losses": losses(), "clipping": clipping(), "updates": updates()}
(HERE / "training.json").write_text(json.dumps(content) + "\n")
