# SPDX-License-Identifier: Apache-2.0
"""The parts of `compare.py` and `exercise.py`; the standard library is all they need."""
