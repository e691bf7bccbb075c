"""Files a second of the licence matcher on real source files, beside licensecheck (Debian), CPU time.

    python tests/bench/license_match.py BUILD FOLDER

BUILD is a build folder of llmtool, FOLDER holds unpacked source packages. 8,000 source files under
200 KB are drawn by a fixed seed; licensecheck reads the first 200 of them, its start taken off.
license_match.md has the figures.
"""
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "parity"))
from license_texts import build_driver  # noqa: E402

ENDINGS = {".c", ".h", ".cpp", ".cc", ".py", ".java", ".js", ".go", ".rs", ".pl", ".sh", ".S", ".m4"}


def cpu(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(build, folder):
    files = sorted(p for p in Path(folder).rglob("*") if p.suffix in ENDINGS and p.is_file()
                   and not p.is_symlink() and p.stat().st_size < 200_000)
    random.Random(1).shuffle(files)
    files = files[:8000]
    data = [p.read_bytes().replace(b"\0", b" ") for p in files]
    size = sum(map(len, data)) / 1e6
    print(f"{len(files)} files, {size:.1f} MB")
    with tempfile.TemporaryDirectory() as work:
        program = build_driver(build, work)
        for _ in range(3):
            run = subprocess.run([program], input=b"".join(d + b"\0" for d in data), capture_output=True,
                                 check=True)
            load, seconds, _ = map(float, run.stderr.split())
            print(f"llmtool: {len(files) / seconds:.0f} files/s, {size / seconds:.1f} MB/s, "
                  f"fingerprints read in {load * 1000:.0f} ms")
    few = list(map(str, files[:200]))
    start = cpu(["licensecheck", "--version"])
    print(f"licensecheck: {len(few) / (cpu(['licensecheck', '--machine', *few]) - start):.1f} files/s")


if __name__ == "__main__":
    main(*sys.argv[1:])
