"""`make bench`: measure every budget that exists, print the figures. Names as arguments choose some of them."""

import importlib
import sys
from pathlib import Path

from tests.benchmarks.figures import Figure

HERE = Path(__file__).parent


def main() -> None:
    """Run the chosen benchmarks (modules `bench_*.py` with `measure() -> list[Figure]`) one after the other."""
    modules = sorted(path.stem for path in HERE.glob("bench_*.py"))
    chosen = [name for name in modules if not sys.argv[1:] or name.removeprefix("bench_") in sys.argv[1:]]
    if not chosen:
        raise SystemExit(f"Benchmarks: {', '.join(name.removeprefix('bench_') for name in modules)}")
    for name in chosen:
        print(f"{name.removeprefix('bench_').replace('_', ' ')}", flush=True)
        figures: list[Figure] = importlib.import_module(f"tests.benchmarks.{name}").measure()
        for figure in figures:
            print(f"  {figure.line()}", flush=True)


main()
