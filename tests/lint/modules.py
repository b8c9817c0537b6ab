"""modules.py: what every connector must have beside its code: the promises that no test of its own author can forget.

faults(files) takes {path: text} of the tree and yields (module, what is missing).
"""
import re

MODULE = re.compile(r"^\s*aduan_connector\(\s*(\w+)", re.M)
# Built from another module's parser, whose fuzz targets are its own.
FUZZED_AS = {"maildir": "email"}
# The test double: nobody configures it.
NO_SAMPLE_CONF = ("loop",)


def modules(files):
    return sorted({name for path, text in files.items() if path.startswith("connectors/") and path.endswith((".cmake", "CMakeLists.txt"))
                   for name in MODULE.findall(re.sub(r"#.*", "", text))})


def cmake(files, folder):
    return "\n".join(re.sub(r"#.*", "", text) for path, text in files.items() if path.startswith(folder) and path.endswith(".cmake"))


def has_contract(files, name):
    return re.search(rf"^\s*aduan_contract\(\s*{name}\b", cmake(files, "tests/unit/"), re.M)


def has_fuzz(files, name):
    return re.search(rf"\bfuzz_{FUZZED_AS.get(name, name)}\w*|\bfuzz_{FUZZED_AS.get(name, name)}_\$", cmake(files, "tests/fuzz/"))


def has_sample_conf(files, name):
    return name in NO_SAMPLE_CONF or any(path.startswith("conf/connectors.d/") and re.search(rf'^\s*type\s*=\s*"{name}"', text, re.M)
                                         for path, text in files.items())


def has_selftest(files, name):
    return any(path.startswith((f"connectors/{name}/", f"connectors/{name}.c")) and re.search(r"^\s*\.selftest\s*=\s*\w+", text, re.M)
               for path, text in files.items() if path.endswith(".c"))


def has_crash(files, name):
    """Its scene in the crash suite; the loop's suite is test_crash_steps.py."""
    return name == "loop" or re.search(rf'^SCENES = \{{.*?"{name}"', files.get("tests/crash/modules.py", ""), re.M | re.S)


NEEDS = {
    "a contract suite (tests/unit/contract.cmake)": has_contract,
    "a fuzz target (tests/fuzz)": has_fuzz,
    "a sample configuration (conf/connectors.d)": has_sample_conf,
    "a selftest": has_selftest,
    "a scene of the crash suite (tests/crash/modules.py)": has_crash,
}


def faults(files):
    for name in modules(files):
        for what, has in NEEDS.items():
            if not has(files, name):
                yield name, what
