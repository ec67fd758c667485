"""Hop 7: tracks + zones + schedule → what is news. Pure: times are passed in, nothing is read or written elsewhere.

Begin with `camera_rules.py`; each kind of rule is a `Watch` in one of the other modules. What is wrong with the camera itself
is found in `detect/health_rules.py`.
"""

from detect.rules.camera_rules import CameraRules, refusal
from detect.rules.geometry import inside
from detect.rules.watch import Finding, Scene

__all__ = ["CameraRules", "Finding", "Scene", "inside", "refusal"]
