"""What can be imported from a package: its public modules, and the public names of each.

A script, which also runs in a Python that has the published SDK: `PACKAGE` names the package, and
the last line of the output is the surface as JSON. A module whose optional requirements are not
installed is read and not imported.
"""

from __future__ import annotations

SURFACE = """
import ast, importlib, json, warnings
from pathlib import Path

warnings.simplefilter("ignore")

def imported(name):
    module = importlib.import_module(name)
    listed = getattr(module, "__all__", None)
    if listed is None:
        listed = [n for n, v in vars(module).items() if getattr(v, "__module__", None) == name]
    return listed

def read(file):
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [node.name for node in ast.parse(file.read_text()).body if isinstance(node, kinds)]

surface = {}
top = Path(importlib.import_module("PACKAGE").__file__).parent
for file in sorted(top.rglob("*.py")):
    parts = file.relative_to(top).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    if any(part.startswith("_") for part in parts):
        continue
    try:
        names = imported(".".join(("PACKAGE", *parts)))
    except ImportError:
        names = read(file)
    surface[".".join(parts)] = sorted({n for n in names if not n.startswith("_")})
print(json.dumps(surface))
"""
