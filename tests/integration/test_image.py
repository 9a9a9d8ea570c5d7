"""What the container installs is whole: every file of every package is in the built wheel."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_holds_every_query_template_pack_and_page(tmp_path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["importlinter"]["root_packages"]
    # as deploy/Dockerfile does it, from a copy: building writes beside its sources
    source = tmp_path / "source"
    no_leftovers = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in packages:
        shutil.copytree(ROOT / name, source / name, ignore=no_leftovers)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    offline = ["--no-deps", "--no-build-isolation", "--no-index"]
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", *offline]
    subprocess.run([*pip, "--wheel-dir", tmp_path, source], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("kangban-*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    needed = {
        str(file.relative_to(ROOT))
        for name in packages
        for file in (ROOT / name).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert sorted(needed - held) == []
