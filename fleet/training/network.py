"""The crop network in PyTorch: five plain convolutions, its training, and its way into an ONNX file."""

import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from detect.crops import CROP_PX
from fleet.training.dataset import LABELS, Crops

__all__ = ["CropNet", "Deployed", "difference", "export", "fit"]

logger = logging.getLogger(__name__)

WIDTHS = (16, 32, 64, 96, 128)
BATCH = 128
PEAK_RATE = 4e-3
SMOOTHING = 0.02
APART = 20  # one crop in so many is not learned from
TEMPERATURES = np.exp(np.linspace(np.log(0.3), np.log(3.0), 60))


class CropNet(nn.Module):
    """Five 3x3 convolutions of stride 2, then the mean over the last 2x2 map: 190k parameters, 3.8 million multiplications."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for width in WIDTHS:
            layers += [nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            before = width
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(before, len(LABELS))

    def forward(self, crop: Tensor) -> Tensor:
        """Logits (N, C) of standardised crops f32 (N, 1, 64, 64)."""
        logits: Tensor = self.head(self.body(crop).mean(dim=(2, 3)))
        return logits


class Deployed(nn.Module):
    """What is exported: u8 (N, 64, 64) in, probabilities (N, C) out, standardisation and softmax inside."""

    def __init__(self, net: CropNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, crop: Tensor) -> Tensor:
        return torch.softmax(self.net(standardised(crop)), dim=1)


def standardised(crop: Tensor) -> Tensor:
    """Mean 0, deviation 1, crop by crop; f32 (N, 1, 64, 64) from u8 or f32 (N, 64, 64). A flat crop becomes zeros."""
    pixel = crop.to(torch.float32).unsqueeze(1)
    centred = pixel - pixel.mean(dim=(2, 3), keepdim=True)
    deviation = torch.sqrt((centred * centred).mean(dim=(2, 3), keepdim=True))
    return centred / (deviation + 4.0)  # four grey levels: sensor noise on a flat wall must not fill the range


def fit(crops: Crops, epochs: int, seed: int, threads: int) -> CropNet:
    """A network trained on `crops`; the same crops, epochs, seed and one thread give the same network on the same machine.

    A twentieth of the crops is kept apart; on it the scores are calibrated.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    rng = np.random.default_rng(seed)
    # Channels last: measured 0.98 against 1.42 ms a crop, forwards and backwards on one thread.
    net = CropNet()
    net.to(memory_format=torch.channels_last)
    apart, learned = np.split(rng.permutation(len(crops.label)), [len(crops.label) // APART])
    rows = len(learned)
    weight = torch.tensor(_balance(crops.label), dtype=torch.float32)
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=0.02)
    steps = epochs * (rows // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps, pct_start=0.15)
    net.train()
    for epoch in range(epochs):
        order = rng.permutation(learned)
        losses = []
        for at in range(0, rows - BATCH + 1, BATCH):
            pick = order[at : at + BATCH]
            pixel = vary(torch.from_numpy(crops.crop[pick]), rng)
            target = torch.from_numpy(crops.label[pick])
            seen = standardised(pixel).contiguous(memory_format=torch.channels_last)
            loss = functional.cross_entropy(net(seen), target, weight, label_smoothing=SMOOTHING)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        logger.info("epoch %d of %d: loss %.4f", epoch + 1, epochs, float(np.mean(losses)))
    net.eval()
    _calibrate(net, vary(torch.from_numpy(crops.crop[apart]), rng), torch.from_numpy(crops.label[apart]))
    return net


def _calibrate(net: CropNet, crop: Tensor, label: Tensor) -> None:
    """Divide the logits by the temperature at which `crop` is least surprising (Guo et al. 2017); in place."""
    with torch.no_grad():
        logits = net(standardised(crop))
        surprise = [float(functional.cross_entropy(logits / float(t), label)) for t in TEMPERATURES]
        best = float(TEMPERATURES[int(np.argmin(surprise))])
        net.head.weight /= best
        net.head.bias /= best
        logger.info("temperature %.2f, right %.3f", best, float((logits.argmax(dim=1) == label).float().mean()))


def _balance(label: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights that let each class count as if it had half the advantage of its number."""
    count = np.bincount(label, minlength=len(LABELS)).astype(np.float64)
    weight = np.sqrt(count.mean() / np.maximum(count, 1))
    return np.asarray(weight / weight.mean(), np.float64)


def vary(crop: Tensor, rng: np.random.Generator) -> Tensor:
    """Crops u8 (N, 64, 64) as other cameras might show them, f32: mirrored, moved, other contrast, noisy, blurred, infrared."""
    n = len(crop)
    pixel = crop.to(torch.float32)[:, None]

    def some(share: float) -> Tensor:
        return torch.from_numpy(rng.random(n) < share)[:, None, None, None]

    def amount(low: float, high: float) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, n).astype(np.float32))[:, None, None, None]

    # Mirror, turn a little, scale and move, in one sampling
    turn, zoom = amount(-0.12, 0.12)[:, 0, 0, 0], torch.exp(amount(-0.18, 0.18)[:, 0, 0, 0])
    mirror = torch.from_numpy(np.where(rng.random(n) < 0.5, -1.0, 1.0).astype(np.float32))
    shift = torch.from_numpy(rng.normal(0, 0.07, (n, 2)).astype(np.float32))
    row_x = torch.stack([torch.cos(turn) * zoom * mirror, -torch.sin(turn) * zoom, shift[:, 0]], dim=1)
    row_y = torch.stack([torch.sin(turn) * zoom * mirror, torch.cos(turn) * zoom, shift[:, 1]], dim=1)
    grid = functional.affine_grid(torch.stack([row_x, row_y], dim=1), [n, 1, CROP_PX, CROP_PX], align_corners=False)
    # At the picture's border a crop repeats the outermost pixels
    low, high = (np.where(rng.random((n, 2)) < 0.06, rng.uniform(0.3, 0.95, (n, 2)), 1.0) for _ in range(2))
    grid = torch.minimum(torch.maximum(grid, _per_crop(-low)), _per_crop(high))
    pixel = functional.grid_sample(pixel, grid, padding_mode="border", align_corners=False)

    # Coarser, softer
    coarse = functional.interpolate(functional.avg_pool2d(pixel, 2), scale_factor=2.0, mode="bilinear")
    pixel = torch.where(some(0.25), coarse, pixel)
    coarser = functional.interpolate(functional.avg_pool2d(pixel, 4), scale_factor=4.0, mode="bilinear")
    pixel = torch.where(some(0.06), coarser, pixel)

    # Contrast that is not straight, infrared's reversed one, noise
    curved = 255 * (pixel / 255).clamp(0, 1) ** torch.exp(amount(-0.7, 0.7))
    pixel = torch.where(some(0.6), curved, pixel)
    pixel = torch.where(some(0.15), 255 - pixel, pixel)
    pixel = pixel * torch.where(some(0.4), amount(0.25, 1.0), torch.ones(()))
    noise = torch.randn(pixel.shape)  # a third of what NumPy's takes; follows the seed as well
    return (pixel + noise * torch.where(some(0.5), amount(0, 12), torch.zeros(())))[:, 0]


def _per_crop(limit: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(limit.astype(np.float32))[:, None, None, :]


def export(net: CropNet, path: Path) -> Deployed:
    """Write the ONNX file; returns what it was made from, to compare with."""
    deployed = Deployed(net).eval()
    with torch.no_grad(), warnings.catch_warnings():
        # The newer exporter needs onnxscript and writes a graph several times as long for these five layers.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            deployed,
            (torch.zeros(2, CROP_PX, CROP_PX, dtype=torch.uint8),),
            str(path),
            input_names=["crop"],
            output_names=["probability"],
            dynamic_axes={"crop": {0: "n"}, "probability": {0: "n"}},
            opset_version=17,
            dynamo=False,
        )
    return deployed


def difference(deployed: Deployed, classify: Callable[[NDArray[np.uint8]], NDArray[np.float32]]) -> float:
    """Largest difference in probability between PyTorch and `classify`, on noise of many contrasts."""
    rng = np.random.default_rng(1)
    crop = np.clip(rng.normal(128, rng.uniform(0, 90, (50, 1, 1)), (50, CROP_PX, CROP_PX)), 0, 255).astype(np.uint8)
    with torch.no_grad():
        want = deployed(torch.from_numpy(crop)).numpy()
    return float(np.abs(classify(crop) - want).max())
