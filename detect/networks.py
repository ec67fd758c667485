"""The ONNX networks at work: the embedded judge of crops, and a public detector where one is installed.

A network is trusted only after its card's SHA-256, its bytes, its shapes and one probe were found right. Each object belongs to
one thread; ONNX Runtime computes in the caller's thread and spins on nothing.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray

from base.errors import ModelError
from detect.cards import MODELS_FOLDER, Card, Colour, Fit, check, find_file, list_cards
from detect.crops import CROP_PX
from detect.heads import Head, decode, output_problem, suppress
from detect.onnx_file import inspect_onnx

__all__ = ["EIGHT_BITS", "EMBEDDED", "CropNetwork", "Detections", "Detector", "Networks", "load_networks"]

logger = logging.getLogger(__name__)

EMBEDDED = "crop_v1"  # name of the card of the crop network that comes with Gridpatrol
EIGHT_BITS = "crop_v1_int8"  # the same with weights and maps of eight bits, written by `python -m fleet.training.int8`
NO_DETECTOR = "none"
# "com.microsoft" holds ONNX Runtime's own operators (quantised ones among them); they need no library of others.
KNOWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
# TensorRT is left out: it compiles for minutes at each start. Ask for it by name in `providers`.
PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
_SIZES = "orig_target_sizes"  # second input of RT-DETR and D-FINE exported with their last step: width, height, int64 (N, 2)
UNSURE = 0.75  # a best score from which a crop needs no second look
MAX_BATCH = 256  # crops in one call: keeps the intermediate maps (17 kB a crop at the first layer) within the cache


@dataclass(frozen=True, slots=True)
class Detections:
    """What a detector saw in one picture, best first: `box` f32 (N, 4) left, top, right, bottom as fractions 0–1, `score` f32
    (N,), `label` int32 (N,), an index into `labels`."""

    box: NDArray[np.float32]
    score: NDArray[np.float32]
    label: NDArray[np.int32]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        n = len(self.score)
        if self.box.shape != (n, 4) or self.label.shape != (n,):
            raise ValueError(f"Detections: expected {n} rows as in score, got box {self.box.shape}, label {self.label.shape}")

    def __len__(self) -> int:
        return len(self.score)


class CropNetwork:
    """Tells what a crop shows. One thread at a time."""

    def __init__(self, card: Card, data: bytes, providers: Sequence[str] | None = None) -> None:
        """From a file's bytes that were checked against `card`; raises ModelError for a network that does not fit it."""
        self.card = card
        self.labels = card.labels
        if card.head is not Head.CROP:
            raise ModelError(f"{card.name}: expected head {Head.CROP}, its card says {card.head}")
        self._session = _open(card, data, providers)
        self._input = _check_input(card, self._session, (0, card.input.height_px, card.input.width_px), "tensor(uint8)")
        self._probe()

    def classify(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probability of each label for each crop, f32 (N, C), rows sum to 1. `crops` u8 (N, 64, 64) as `cut_crops` makes them;
        each is standardised inside the network, so brightness and contrast do not matter.

        Where no label reaches 0.75 the mirrored crop is judged, too, and the mean counts: a quarter of the crops for most of
        what twice the time for all would bring."""
        score = self.judge(crops)
        unsure = np.flatnonzero(score.max(axis=1, initial=0) < UNSURE)
        if len(unsure):
            score[unsure] = (score[unsure] + self.judge(crops[unsure, :, ::-1])) / 2
        return score

    def judge(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the network itself says, one look at each; shapes as `classify`."""
        if not len(crops):
            return np.empty((0, len(self.labels)), np.float32)
        parts = [self._run(crops[at : at + MAX_BATCH]) for at in range(0, len(crops), MAX_BATCH)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _run(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        (score,) = self._session.run(None, {self._input: np.ascontiguousarray(crops)})
        return np.array(score, np.float32)

    def _probe(self) -> None:
        """Three crops: noise, flat black, flat white. Flat ones divide by a deviation of zero if a network is careless."""
        noise = np.random.default_rng(0).integers(0, 256, (CROP_PX, CROP_PX), np.uint8)
        flat = np.zeros_like(noise)
        score = _guarded(self.card, lambda: [self.judge(np.stack([noise, flat, flat + 255]))])[0]
        if score.shape != (3, len(self.labels)):
            raise ModelError(f"{self.card.name}: expected (N, {len(self.labels)}) for N crops, got {score.shape} for 3")
        if np.abs(score.sum(axis=1) - 1).max() > 1e-3:
            raise ModelError(f"{self.card.name}: expected probabilities that sum to 1, got {score.sum(axis=1)}")


class Detector:
    """A public detector on whole pictures. One thread at a time."""

    def __init__(self, card: Card, data: bytes, providers: Sequence[str] | None = None) -> None:
        """From a file's bytes that were checked against `card`; raises ModelError for a network that does not fit it."""
        self.card = card
        if card.head is Head.CROP:
            raise ModelError(f"{card.name}: expected a detector's head, its card says {card.head}")
        self.labels, self._fold = _fold(card)
        self._mean = np.asarray(card.input.mean, np.float32)
        self._scale = 1 / np.asarray(card.input.deviation, np.float32)
        self._session = _open(card, data, providers)
        height_px, width_px = card.input.height_px, card.input.width_px
        # A network with its last step inside is told the size it is to give boxes in; ours is that of its input.
        self._sizes = np.array([[width_px, height_px]], np.int64) if card.head is Head.DETR_SIZED else None
        self._input = _check_input(card, self._session, (1, 3, height_px, width_px), "tensor(float)", self._sizes is not None)
        self._batches = not isinstance(self._session.get_inputs()[0].shape[0], int)
        grey = np.full((height_px, width_px, 3), 114, np.uint8)
        output = _guarded(card, lambda: self._run([grey]))
        problem = output_problem(card.head, [part.shape for part in output], height_px, width_px, len(card.labels))
        if problem:
            raise ModelError(f"{card.name}: {problem}")

    @property
    def latency_ms(self) -> float:
        """What one picture takes, as the card says; 0 where it does not."""
        return self.card.latency_ms

    def detect(self, bgr: NDArray[np.uint8]) -> Detections:
        """Everything of at least the card's `min_score` in a picture u8 (h, w, 3) of any size, doubles removed."""
        return self.detect_all([bgr])[0]

    def detect_all(self, pictures: Sequence[NDArray[np.uint8]]) -> list[Detections]:
        """The same for several pictures: in one run where the network's batch is open, else one after another."""
        size = self.card.input
        fitted = [fit_picture(bgr, size.height_px, size.width_px, size.fit, size.pad) for bgr in pictures]
        step = len(fitted) if self._batches else 1
        found = []
        for at in range(0, len(fitted), max(step, 1)):
            output = self._run([picture for picture, _, _ in fitted[at : at + step]])
            for row, (bgr, (_, scale, offset)) in enumerate(zip(pictures[at : at + step], fitted[at : at + step], strict=True)):
                found.append(self._read([part[row : row + 1] for part in output], bgr.shape[:2], scale, offset))
        return found

    def _read(
        self,
        output: Sequence[NDArray[np.float32]],
        shape: tuple[int, ...],
        scale: NDArray[np.float64],
        offset: NDArray[np.float64],
    ) -> Detections:
        """What the outputs for one picture of (h, w) pixels say."""
        size = self.card.input
        found = decode(self.card.head, output, size.height_px, size.width_px, self.card.min_score)
        keep = suppress(found, self.card.max_overlap)
        keep = keep[(found.label[keep] >= 0) & (found.label[keep] < len(self._fold))]  # a network may number on beyond its labels
        box = (found.box[keep].reshape(-1, 2, 2) - offset) / scale / (shape[1], shape[0])
        box = np.clip(box.reshape(-1, 4), 0, 1)
        return Detections(np.asarray(box, np.float32), found.score[keep], self._fold[found.label[keep]], self.labels)

    def _run(self, pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        pixel = np.stack(pictures)
        if self.card.input.colour is Colour.RGB:
            pixel = pixel[..., ::-1]
        scaled = (pixel.astype(np.float32) - self._mean) * self._scale
        feed = {self._input: np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))}
        if self._sizes is not None:
            feed[_SIZES] = np.repeat(self._sizes, len(pictures), axis=0)
        return [np.asarray(part, np.float32) for part in self._session.run(None, feed)]


@dataclass(frozen=True, slots=True)
class Networks:
    """What a worker judges pictures with. `detector` is None unless one is installed and sound;
    `problem` says why, if there should be one."""

    crop: CropNetwork
    detector: Detector | None = None
    problem: str = ""

    def reload(self, folders: Sequence[Path], prefer: str | None = None) -> "Networks":
        """Load anew; where a network fails now, the one at work stays and `problem` says why."""
        try:
            new = load_networks(folders, prefer)
        except ModelError as error:
            return Networks(self.crop, self.detector, str(error))
        if new.problem and new.detector is None:
            return Networks(new.crop, self.detector, new.problem)
        return new


def load_networks(folders: Sequence[Path], prefer: str | None = None, providers: Sequence[str] | None = None) -> Networks:
    """The crop network, and a detector if one lies in `folders`.

    The crop network is the embedded one, or its form in eight bits where `folders` hold that. `prefer` names the detector's card;
    None takes the card of lowest rank whose file is there; "none" takes no detector. `folders` are searched for files and for
    further cards. What cannot be used in them is logged and done without; raises ModelError only if the embedded crop network
    cannot be used. `providers` are ONNX Runtime's; None: CUDA where it is, else CPU.
    """
    crop = _load_crop(folders, providers)
    try:
        return Networks(crop, _load_detector(folders, prefer, providers))
    except ModelError as error:
        logger.warning("no detector, the crop network judges alone: %s", error)
        return Networks(crop, None, str(error))


def _load_crop(folders: Sequence[Path], providers: Sequence[str] | None) -> CropNetwork:
    try:
        for card in list_cards(folders):
            path = find_file(card, folders)
            if card.name == EIGHT_BITS and path is not None:
                return CropNetwork(card, check(card, path.parent), providers)
    except ModelError as error:
        logger.warning("the embedded crop network judges instead: %s", error)
    embedded = next(card for card in list_cards() if card.name == EMBEDDED)
    return CropNetwork(embedded, check(embedded, MODELS_FOLDER), providers)


def _load_detector(folders: Sequence[Path], prefer: str | None, providers: Sequence[str] | None) -> Detector | None:
    if prefer == NO_DETECTOR:
        return None
    cards = sorted((card for card in list_cards(folders) if card.head is not Head.CROP), key=lambda card: card.rank)
    if prefer is not None:
        cards = [card for card in cards if card.name == prefer]
        if not cards:
            raise ModelError(f"no card is named {prefer!r}; there are {', '.join(card.name for card in list_cards(folders))}")
    for card in cards:
        path = find_file(card, folders)
        if path is not None:
            return Detector(card, check(card, path.parent), providers)
    if prefer is not None:
        raise ModelError(
            f"{prefer}: {cards[0].file} is in none of {', '.join(map(str, folders)) or 'no folders'}; fetch it first"
        )
    return None


def fit_picture(
    bgr: NDArray[np.uint8], height_px: int, width_px: int, fit: Fit, pad: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.float64]]:
    """The picture at the network's size, and x and y of scale and offset: input pixel = picture pixel x scale + offset."""
    if bgr.ndim != 3 or bgr.shape[2] != 3 or bgr.dtype != np.uint8 or not bgr.size:
        raise ValueError(f"picture: expected u8 (h, w, 3), got {bgr.dtype} {bgr.shape}")
    h, w = bgr.shape[:2]
    if fit is Fit.STRETCH:
        stretched = cv2.resize(bgr, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
        return np.asarray(stretched, np.uint8), np.array([width_px / w, height_px / h]), np.zeros(2)
    scale = min(height_px / h, width_px / w)
    new_w, new_h = max(1, round(w * scale)), max(1, round(h * scale))
    left, top = ((width_px - new_w) // 2, (height_px - new_h) // 2) if fit is Fit.CENTRE else (0, 0)
    picture = np.full((height_px, width_px, 3), round(pad), np.uint8)
    picture[top : top + new_h, left : left + new_w] = cv2.resize(bgr, (new_w, new_h), interpolation=cv2.INTER_LINEAR)
    return picture, np.array([new_w / w, new_h / h]), np.array([left, top], np.float64)


def _fold(card: Card) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The labels in our words, and for each of the network's labels its place among them."""
    word = dict.fromkeys(card.classes.person, "person") | dict.fromkeys(card.classes.vehicle, "vehicle")
    renamed = [word.get(label, label) for label in card.labels]
    labels = tuple(dict.fromkeys(renamed))
    return labels, np.array([labels.index(label) for label in renamed], np.int32)


def _open(card: Card, data: bytes, providers: Sequence[str] | None) -> ort.InferenceSession:
    """A session from bytes. Weights in other files and operators of other makers are refused before ONNX Runtime looks."""
    try:
        facts = inspect_onnx(data)
    except ModelError as error:
        raise ModelError(f"{card.name}: {error}") from None
    if facts.has_external_data:
        raise ModelError(f"{card.name}: its weights lie in another file, which no hash protects; save them inside the ONNX file")
    if facts.domains - KNOWN_DOMAINS:
        raise ModelError(
            f"{card.name}: uses operators of {', '.join(sorted(facts.domains - KNOWN_DOMAINS))}, which need foreign code"
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    usable = [name for name in providers or PROVIDERS if name in ort.get_available_providers()]
    if not usable:
        raise ModelError(f"{card.name}: none of {', '.join(providers or PROVIDERS)} is in this ONNX Runtime {ort.__version__}")
    try:
        return ort.InferenceSession(data, options, providers=usable)
    except Exception as error:  # ONNX Runtime has a dozen unrelated error classes
        raise ModelError(f"{card.name}: ONNX Runtime {ort.__version__} refuses it: {_first_line(error)}") from None


def _check_input(card: Card, session: ort.InferenceSession, shape: tuple[int, ...], kind: str, sized: bool = False) -> str:
    """The name of the picture's input, after its type and shape were found right; 0 in `shape` stands for any number.

    There must be no other input, but for the sizes asked for where it is `sized`.
    """
    try:
        inputs = [(str(one.name), str(one.type), tuple(one.shape)) for one in session.get_inputs()]
    except UnicodeDecodeError:
        raise ModelError(f"{card.name}: its inputs have names or dimensions that are no text") from None
    listed = ", ".join(f"{name} {type_}" for name, type_, _ in inputs) or "none"
    if sized and (len(inputs) != 2 or inputs[1][:2] != (_SIZES, "tensor(int64)")):
        raise ModelError(f"{card.name}: expected a picture and {_SIZES} tensor(int64) for head {card.head}, it has {listed}")
    if not sized and len(inputs) != 1:
        raise ModelError(f"{card.name}: expected one input, it has {listed}")
    name, found, dimensions = inputs[0]
    # A dimension left open carries a name or None instead of a number; that fits any number.
    fits = len(dimensions) == len(shape) and all(
        not isinstance(there, int) or (there == want and want != 0) for there, want in zip(dimensions, shape, strict=True)
    )
    if not fits or found != kind:
        wanted = "x".join("N" if want == 0 else str(want) for want in shape)
        raise ModelError(f"{card.name}: expected input {kind} {wanted}, it has {found} {'x'.join(map(str, dimensions))}")
    return name


def _guarded(card: Card, probe: Callable[[], list[NDArray[np.float32]]]) -> list[NDArray[np.float32]]:
    """What a probe gives; raises ModelError if it fails or gives anything that is no number."""
    try:
        output = probe()
    except Exception as error:
        raise ModelError(f"{card.name}: fails on a test picture: {_first_line(error)}") from None
    if not all(np.isfinite(part).all() for part in output):
        raise ModelError(f"{card.name}: gives values that are no numbers (NaN or infinite) on a test picture")
    return output


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
