#!/usr/bin/env python3
"""measure.py: how often completeness, routing and deadline come out right, over labelled cases.

    measure.py ADUANCTL [FILE...]

FILE: cases of our own (tests/policy/cases.json, the default) or the office's complaints.json; the
latter are not in the repository. Each file is counted apart; what was wrong is listed.
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HARD = ("PUNGLI_CALO", "TPPO_CPMI", "PRIVASI_DATA")
FIELDS = ("section", "category", "cc", "class", "urgency", "confidentiality", "missing", "due", "decision", "name",
          "phone", "address_score")


def required(rule):
    return rule.get("all", []) + (["|".join(rule["any"])] if "any" in rule else [])


def of_office(doc):
    """The office's own format, as ours."""
    for c in doc["complaints"]:
        labels, expected, found = c["labels"], c["expected"], c["completeness"]
        name = c["extracted"]["name"]
        written = name if name and name in c["text"] else None
        yield {
            "id": c["id"], "channel": c["channel"], "at": c["received_at"], "subject": c["subject"], "text": c["text"],
            "anonymous": c["sender"].get("is_anonymous", False), "secret": c["sender"].get("is_secret", False),
            "section": labels["section_primary"], "category": labels["category"], "cc": labels["section_cc"],
            "class": labels["report_class"], "urgency": labels["urgency"], "confidentiality": labels["confidentiality"],
            "missing": expected["missing_required"], "due": expected["due_at"], "decision": expected["decision"],
            "address_score": found["address"], **({"name": written} if written else {}),
            **({"phone": c["extracted"]["phone_e164"]} if found["phone"] == "text" else {}),
        }


def cases_of(path):
    doc = json.loads(Path(path).read_text(encoding="utf-8"))
    return list(of_office(doc)) if "complaints" in doc else doc["cases"]


def config(directory, policy=ROOT / "conf"):
    """aduanctl needs a configuration, and of it only the policy."""
    path = Path(directory) / "aduan.conf"
    path.write_text(f'office = {{ name = "Kantor Uji"; code = "TPI"; timezone = "Asia/Jakarta"; language = "id"; }};\n'
                    f'state = "{directory}"; secrets = "{directory}"; policy = "{policy}";\n'
                    'queue = { redis = "127.0.0.1:1"; };\nconnectors = ( );\n', encoding="utf-8")
    return path


def tried(aduanctl, conf, case):
    command = [aduanctl, "-c", str(conf), "try", "--channel", case["channel"], "--at", case["at"], "--json"]
    command += ["--subject", case["subject"]] if case.get("subject") else []
    command += ["--anonymous"] if case.get("anonymous") else []
    command += ["--secret"] if case.get("secret") else []
    run = subprocess.run(command, input=case["text"].encode(), stdout=subprocess.PIPE, timeout=60, check=True)
    got = json.loads(run.stdout)
    got["due"] = got["due_at"]
    return got


def wrong(case, got):
    """{field: (wanted, got)} of what is labelled and differs."""
    def same(field):
        if field in ("cc", "missing"):
            return sorted(case[field]) == sorted(got[field])
        return case[field] == got[field]
    return {f: (case[f], got[f]) for f in FIELDS if f in case and not same(f)}


def measure(aduanctl, path):
    """{field: [right, of]}, [(case, wrong, got)]"""
    counts, faults = {f: [0, 0] for f in (*FIELDS, "hard")}, []
    with tempfile.TemporaryDirectory() as directory:
        conf = config(directory)
        for case in cases_of(path):
            got = tried(aduanctl, conf, case)
            bad = wrong(case, got)
            for field in FIELDS:
                counts[field][1] += field in case
                counts[field][0] += field in case and field not in bad
            # A hard rule is right when it holds where it must, and nowhere else.
            hard = case["category"] in HARD
            counts["hard"][1] += hard or got["category"] in HARD
            counts["hard"][0] += hard and not {"section", "category", "cc"} & bad.keys()
            if bad:
                faults.append((case, bad, got))
    return counts, faults


def main():
    aduanctl = os.path.abspath(sys.argv[1])
    for path in sys.argv[2:] or [HERE / "cases.json"]:
        counts, faults = measure(aduanctl, path)
        print(f"== {path}")
        for case, bad, got in faults:
            print(f"{case['id']}: " + "; ".join(f"{f}: {want!r} expected, got {have!r}" for f, (want, have) in bad.items()))
            if "section" in bad or "category" in bad:
                print("      " + " | ".join(got["why"]))
        for field, (right, of) in counts.items():
            if of:
                print(f"{field:16} {right:3} of {of}")


if __name__ == "__main__":
    main()
