"""Training of the embedded crop network: clips and drawn things in, `models/crop_v1.onnx` and its card out.

Needs the extra `train` (PyTorch, onnx), which nothing else does. Read `__main__.py` first; docs/ref/models.md has the command.
"""
