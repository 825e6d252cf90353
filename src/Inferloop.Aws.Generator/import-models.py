#!/usr/bin/env python3
"""Cuts the service models that ship with botocore (Apache-2.0) to the operations of services.json.

Why botocore and not the npm schemas: these are the models AWS publishes, with input constraints, error codes,
HTTP statuses, pagination and waiters, which the typed clients and the sandbox both need.

Usage: python3 import-models.py            (needs `pip install botocore`; writes Models/<service>.json)
Each file is a C2J model: metadata, operations, shapes, plus `pagination` and `waiters` of the kept operations.
EndpointRules/<service>.json is the endpoint rule set of each service whose client we can generate.
Documentation is cut to its first sentence, as plain text.
"""
import gzip, html, json, pathlib, re, sys

try:
    import botocore
except ImportError:
    sys.exit("import-models.py: botocore is not installed for this python: run `pip install botocore` and try again")

HERE = pathlib.Path(__file__).parent
DATA = pathlib.Path(botocore.__file__).parent / "data"


def read(folder, name):
    for candidate, opener in ((folder / name, open), (folder / (name + ".gz"), gzip.open)):
        if candidate.exists():
            with opener(candidate, "rt", encoding="utf-8") as stream:
                return json.load(stream)
    return {}


def first_sentence(markup):
    text = html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"</p>|</li>|<br/?>", ". ", markup or "")))
    text = re.sub(r"\s+", " ", text).strip()
    match = re.match(r"(.{20,}?[.!?])(\s|$)", text)
    text = (match.group(1) if match else text)[:240]
    return re.sub(r"\.\s*\.+$", ".", text).strip()


def reachable(shapes, roots):
    seen, todo = set(), list(roots)
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        shape = shapes[name]
        refs = list(shape.get("members", {}).values()) + [shape[k] for k in ("member", "key", "value") if k in shape]
        todo.extend(ref["shape"] for ref in refs)
    return seen


def without_docs(value):
    """First sentences instead of pages; nothing else is changed."""
    if isinstance(value, dict):
        out = {}
        for key, item in value.items():
            if key == "documentation" and isinstance(item, str):
                sentence = first_sentence(item)
                if sentence:
                    out[key] = sentence
            elif key not in ("documentationUrl", "examples", "smithy"):
                out[key] = without_docs(item)
        return out
    return [without_docs(item) for item in value] if isinstance(value, list) else value


def add(model, additions):
    """What AWS has and this botocore has not yet; an addition that botocore has by now is a mistake to be taken out."""
    for name, shape in additions.get("shapes", {}).items():
        if name in model["shapes"]:
            sys.exit(f"import-models.py: botocore {botocore.__version__} has the shape {name}: take it out of the additions")
        model["shapes"][name] = shape
    for name, members in additions.get("members", {}).items():
        model["shapes"][name]["members"].update(members)


def cut(service, wanted, additions):
    root = DATA / service
    if not root.is_dir():
        sys.exit(f"import-models.py: botocore {botocore.__version__} has no service '{service}'")
    folder = max(p for p in root.iterdir() if p.is_dir())
    model = read(folder, "service-2.json")
    add(model, additions)
    names = sorted(model["operations"]) if wanted == "*" else sorted(wanted)
    unknown = [n for n in names if n not in model["operations"]]
    if unknown:
        sys.exit(f"import-models.py: {service} has no operation {', '.join(unknown)}")
    operations = {n: model["operations"][n] for n in names}
    roots = [op[side]["shape"] for op in operations.values() for side in ("input", "output") if side in op]
    roots += [error["shape"] for op in operations.values() for error in op.get("errors", [])]
    keep = reachable(model["shapes"], roots)
    pagination = {k: v for k, v in read(folder, "paginators-1.json").get("pagination", {}).items() if k in operations}
    waiters = {k: v for k, v in read(folder, "waiters-2.json").get("waiters", {}).items() if v["operation"] in operations}
    return without_docs({
        "metadata": model["metadata"],
        "operations": operations,
        "shapes": {n: s for n, s in sorted(model["shapes"].items()) if n in keep},
        "pagination": pagination,
        "waiters": waiters,
    })


# Services whose official package is restored anyway and whose rules would only add bulk.
NO_RULES = {"s3", "ec2"}


def main():
    services = json.loads((HERE / "services.json").read_text(encoding="utf-8"))["services"]
    out = HERE / "Models"
    out.mkdir(exist_ok=True)
    rules = HERE / "EndpointRules"
    rules.mkdir(exist_ok=True)
    for stale in [*out.glob("*.json"), *rules.glob("*.json")]:
        stale.unlink()
    for service, entry in services.items():
        text = json.dumps(cut(service, entry["operations"], entry.get("additions", {})), separators=(",", ":"), ensure_ascii=False)
        (out / f"{service}.json").write_text(text + "\n", encoding="utf-8")
        print(f"{service:26} {len(text) // 1024:6} KiB")
        if entry["client"] != "none" and service not in NO_RULES:
            folder = max(p for p in (DATA / service).iterdir() if p.is_dir())
            text = json.dumps(without_docs(read(folder, "endpoint-rule-set-1.json")), separators=(",", ":"), ensure_ascii=False)
            (rules / f"{service}.json").write_text(text + "\n", encoding="utf-8")
    (out / "SOURCE.txt").write_text(f"botocore {botocore.__version__}, Apache-2.0, cut by import-models.py\n", encoding="utf-8")


main()
