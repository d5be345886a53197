#!/usr/bin/python3
"""schema_check.py NAME FILE...: JSON files against results/NAME.schema.json, by
a validator that is not ours (python3-jsonschema).

With --each: every member that the schema requires, at every level, is deleted
once from a file that has it, and the file must fail then. Places of the schema
that no file reaches are a fault, unless named by --unreached PLACE."""
import argparse
import copy
import json
import os
import sys

try:
    import jsonschema
except ImportError:
    sys.exit("not ok python3-jsonschema is not installed (make setup)")


def resolve(schema, root, place):
    """What a $ref means, and the place where that stands."""
    while "$ref" in schema:
        place = schema["$ref"]
        schema = root
        for step in place[2:].split("/"):
            schema = schema[step]
    return schema, place


def demanded(schema, place="#"):
    """Every (place, member) that the schema requires, reached or not."""
    if not isinstance(schema, dict):
        return
    for key in schema.get("required", []):
        yield place, key
    for group in ("properties", "$defs"):
        for name, sub in schema.get(group, {}).items():
            yield from demanded(sub, "%s/%s/%s" % (place, group, name))
    for word in ("items", "additionalProperties"):
        yield from demanded(schema.get(word), "%s/%s" % (place, word))


def reached(schema, root, value, place="#", path=()):
    """Every (place, member, path to the object that has it) of a value."""
    schema, place = resolve(schema, root, place)
    if isinstance(value, dict):
        for key in schema.get("required", []):
            yield place, key, path
        rest = schema.get("additionalProperties")
        for key, item in value.items():
            if key in schema.get("properties", {}):
                yield from reached(schema["properties"][key], root, item,
                                   "%s/properties/%s" % (place, key), path + (key,))
            elif isinstance(rest, dict):
                yield from reached(rest, root, item, place + "/additionalProperties", path + (key,))
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            yield from reached(schema["items"], root, item, place + "/items", path + (i,))


def is_missed(validator, value, path, key):
    """Does the file fail without that member? The copy is of what leads there
    alone."""
    top = at = copy.copy(value)
    for step in path:
        at[step] = copy.copy(at[step])
        at = at[step]
    del at[key]
    return not validator.is_valid(top)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--each", action="store_true")
    p.add_argument("--unreached", action="append", default=[])
    p.add_argument("name")
    p.add_argument("files", nargs="+")
    o = p.parse_args()
    here = os.path.join(os.path.dirname(__file__), "..", "results")
    with open(os.path.join(here, o.name + ".schema.json")) as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    bad = []
    seen = set()
    for name in o.files:
        with open(name) as f:
            value = json.load(f)
        error = next(validator.iter_errors(value), None)
        if error:
            bad.append("%s: %s" % (name, str(error)[:400]))
            continue
        for place, key, path in reached(schema, schema, value) if o.each else ():
            if (place, key) in seen:
                continue
            seen.add((place, key))
            if not is_missed(validator, value, path, key):
                bad.append("%s: is valid without %s at %s" % (name, key, list(path)))
    if o.each:
        wanted = set(demanded(schema))
        bad += ["no file reaches %s: %s" % (place, key) for place, key in sorted(wanted - seen)
                if place not in o.unreached]
    print("%sok %s, %d file%s%s" % ("not " if bad else "", o.name, len(o.files), "s"[:len(o.files) != 1],
                                    ", each of %d required members missed" % len(seen) if o.each else ""))
    for b in bad[:20]:
        print("  " + b)
    return bool(bad)


sys.exit(main())
