"""The benchmark suite is run as its users run it; its parts are imported from bench/."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "bench"))
