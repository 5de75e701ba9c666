#!/usr/bin/env python3
"""Writes an SBOM (CycloneDX 1.5, JSON) of what is linked into the copydesk executable, from `cargo metadata` and Cargo.lock. Usage: sbom.py TARGET

Crates that are only built with (build scripts, macros of tests) or tested with are left out. The same sources give the same file.
"""

import json
import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXECUTABLE = "copydesk"


def main() -> None:
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--features", "copydesk/object-storage"]
    command += ["--filter-platform", sys.argv[1]]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))
    checksums = {(p["name"], p["version"]): p["checksum"] for p in lock["package"] if "checksum" in p}

    def linked(number: str) -> list[str]:
        return [d["pkg"] for d in nodes[number]["deps"] if any(kind["kind"] is None for kind in d["dep_kinds"])]

    def reference(number: str) -> str:
        return f"pkg:cargo/{packages[number]['name']}@{packages[number]['version']}"

    def component(number: str) -> dict:
        package = packages[number]
        about = {
            "type": "application" if package["name"] == EXECUTABLE else "library",
            "bom-ref": reference(number),
            "name": package["name"],
            "version": package["version"],
            "purl": reference(number),
        }
        if package["license"]:
            # The older way of crates to write OR.
            about["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        if checksum := checksums.get((package["name"], package["version"])):
            about["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        if package["repository"]:
            about["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
        return about

    root = next(number for number, package in packages.items() if package["name"] == EXECUTABLE and package["source"] is None)
    found, todo = {root}, [root]
    while todo:
        for number in linked(todo.pop()):
            if number not in found:
                found.add(number)
                todo.append(number)
    by_name = sorted(found, key=reference)
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component(root)},
        "components": [component(number) for number in by_name if number != root],
        "dependencies": [
            {"ref": reference(number), "dependsOn": sorted(reference(d) for d in linked(number) if d in found)} for number in by_name
        ],
    }
    json.dump(bom, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
