"""OpenCV's people detector as a peer, in a process of its own: HOG left OpenCV with version 5, so OpenCV 4 is put aside for it.

``python -m benchmarks._hog IN OUT`` with OpenCV 4 first on the path: squares u8 (N, s, s) in an .npy file → weights f32 (N,).
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["OPENCV", "hog_weights", "square_around"]

OPENCV = "opencv-python-headless==4.12.0.88"
BODY_PX = 96  # height of somebody in the detector's window, which is 128 high
SIDE_PX = 168  # of the squares: somebody with room for the window to move
NOTHING = -10.0  # weight where no window passes at all


def square_around(grey: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A square u8 (168, 168) around a box given in fractions, its longer side at the height the detector wants."""
    height, width = grey.shape
    edge = box * (width, height, width, height)
    zoom = BODY_PX / max(float(max(edge[2] - edge[0], edge[3] - edge[1])), 1.0)
    middle_x, middle_y = (edge[0] + edge[2]) / 2, (edge[1] + edge[3]) / 2
    move = np.array([[zoom, 0, SIDE_PX / 2 - zoom * middle_x], [0, zoom, SIDE_PX / 2 - zoom * middle_y]])
    square = cv2.warpAffine(grey, move, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(square, np.uint8)


def hog_weights(square: NDArray[np.uint8], build: Path) -> tuple[NDArray[np.float32], float]:
    """The best weight in each square (N, s, s), and milliseconds a square; raises OSError where OpenCV 4 cannot be had."""
    folder = build / "opencv4"
    if not (folder / "cv2").is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), OPENCV]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            raise OSError(f"HOG is not in OpenCV {cv2.__version__}, and {OPENCV} could not be installed into {folder}")
    with tempfile.TemporaryDirectory() as scratch:
        given, got = Path(scratch) / "squares.npy", Path(scratch) / "weights.npy"
        np.save(given, square)
        path = os.pathsep.join([str(folder.resolve()), str(Path(__file__).resolve().parent.parent)])
        arguments = [sys.executable, "-m", "benchmarks._hog", str(given), str(got)]
        done = subprocess.run(arguments, check=False, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})
        if done.returncode:
            raise OSError(f"OpenCV 4 failed: {done.stderr.strip().splitlines()[-1:]}")
        return np.load(got).astype(np.float32), float(done.stdout)


def _weigh(given: Path, got: Path) -> None:
    """Runs where OpenCV is version 4; its HOG is unknown to the stubs of version 5, hence no types."""
    opencv: Any = cv2
    opencv.setNumThreads(1)
    hog = opencv.HOGDescriptor()
    hog.setSVMDetector(opencv.HOGDescriptor_getDefaultPeopleDetector())
    squares = np.load(given)
    weights = np.full(len(squares), NOTHING, np.float32)
    began_s = time.perf_counter()
    for row, square in enumerate(squares):
        _, weight = hog.detectMultiScale(
            square, hitThreshold=-2.0, winStride=(4, 4), padding=(8, 8), scale=1.08, groupThreshold=0
        )
        if len(weight):
            weights[row] = np.max(weight)
    print((time.perf_counter() - began_s) / max(len(squares), 1) * 1000)
    np.save(got, weights)


if __name__ == "__main__":
    _weigh(Path(sys.argv[1]), Path(sys.argv[2]))
