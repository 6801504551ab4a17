"""The Python examples run as their first lines say, and give what another reader's pixels give."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import make_slides
import numpy as np
import pytest
import tifffile

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "python"


def run(example, *arguments, status=0):
    command = [sys.executable, example, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """A folder with a slide."""
    folder = tmp_path_factory.mktemp("samples")
    make_slides.make("sample", folder / "sample-0.svs")
    return folder


def test_features_are_those_of_the_pixels(samples, tmp_path):
    printed = run(EXAMPLES / "extract_features.py", samples, tmp_path, "--processes", 2)
    for slide in sorted(samples.glob("*.svs")):
        image = tifffile.imread(slide, key=0)
        with np.load(tmp_path / f"{slide.stem}.npz") as found:
            locations, features = found["locations"], found["features"]
        assert f"{slide}: {len(locations)} patches" in printed
        assert len(locations) > 10
        for (x, y), feature in zip(locations.tolist(), features, strict=True):
            patch = image[y : y + 128, x : x + 128].reshape(-1, 3)
            expected = [np.histogram(patch[:, c], 16, (0, 256))[0] / len(patch) for c in range(3)]
            expected += [patch.mean(0), patch.std(0)]
            np.testing.assert_allclose(feature, np.concatenate(expected), rtol=1e-4)


def test_features_of_a_folder_with_a_broken_slide(samples, tmp_path):
    folder, out = tmp_path / "slides", tmp_path / "out"
    folder.mkdir()
    whole = (samples / "sample-0.svs").read_bytes()
    (folder / "whole.svs").write_bytes(whole)
    (folder / "broken.svs").write_bytes(whole[: len(whole) // 3])
    printed = run(EXAMPLES / "extract_features.py", folder, out, status=1)
    assert re.search(r"broken\.svs: tiff: the header points to", printed)
    assert [path.name for path in out.iterdir()] == ["whole.npz"]


def test_the_script_for_cucim(samples):
    slide = samples / "sample-0.svs"
    lines = run(EXAMPLES / "cucim_batches.py", slide).splitlines()
    image = tifffile.imread(slide, key=0).astype(float)
    h, w = image.shape[:2]
    assert lines[1].endswith(str(image[32:132, 64:264].mean((0, 1)).round(3).tolist()))
    locations = [(x, y) for y in range(0, h - 224, 224) for x in range(0, w - 224, 224)]
    assert len(lines) == 3 + -(-len(locations) // 4)
    patches = np.stack([image[y : y + 224, x : x + 224] for x, y in locations[:4]])
    assert lines[3] == f"0 (4, 224, 224, 3) {patches.mean((0, 1, 2)).round(3).tolist()}"


@pytest.mark.skipif(
    not find_spec("cucim"), reason="cucim is not installed here; make test-examples installs it"
)
def test_the_script_with_its_import_changed_back_prints_the_same(samples, tmp_path):
    ours = (EXAMPLES / "cucim_batches.py").read_text(encoding="utf-8")
    theirs, changed = re.subn(
        r"^from microtome import CuImage.*$", "from cucim import CuImage", ours, flags=re.M
    )
    assert changed == 1
    assert "microtome" not in theirs
    (tmp_path / "before.py").write_text(theirs, encoding="utf-8")
    slide = samples / "sample-0.svs"
    assert run(EXAMPLES / "cucim_batches.py", slide) == run(tmp_path / "before.py", slide)


@pytest.mark.skipif(
    not find_spec("torch"), reason="torch is not installed here; make test-examples installs it"
)
def test_the_network_learns(samples, tmp_path):
    make_slides.make("sample", tmp_path / "other.svs", seed=1)
    printed = run(EXAMPLES / "train_cnn.py", samples / "sample-0.svs", tmp_path / "other.svs")
    losses = [float(loss) for loss in re.findall(r"loss ([\d.]+)", printed)]
    assert losses[-1] < losses[0] / 2
    assert float(re.search(r"accuracy on .*: ([\d.]+)", printed)[1]) > 0.85
