# SPDX-License-Identifier: Apache-2.0
"""The table of the suite, from what the rounds measured."""
import math
import statistics

from .implementations import INFERENCE, KASANE, REFERENCE, TENSORS, WORDS

OTHERS = ("torch.compile", "JAX", "ONNX Runtime", "OpenVINO")


def _median(rounds, key="median_ms"):
    values = [result[key] for result in rounds if key in result]
    return statistics.median(values) if values else None


def _time(milliseconds):
    if milliseconds is None:
        return "-"
    digits = 4 if milliseconds < 1 else 3 if milliseconds < 10 else 1
    return f"{milliseconds:.{digits}f}"


def _ratio(part, whole):
    return f"{part / whole:.2f}" if part and whole else "-"


def _mebibytes(rounds):
    peak = _median(rounds, "peak_bytes")
    return f"{peak / 2**20:.0f}" if peak else "-"


def _spread(rounds):
    """Half the distance from the lowest to the highest round, in per cent of the median."""
    times = [result["median_ms"] for result in rounds]
    if len(times) < 2:
        return "-"
    return f"{50 * (max(times) - min(times)) / statistics.median(times):.0f} %"


def _row(name, results, peak):
    ours, reference = results.get(KASANE, []), results.get(REFERENCE, [])
    time, limit = _median(ours), None
    rate = _median(ours, "gflops")
    if time and rate and peak:
        limit = time * rate / peak
    cells = [
        name,
        _time(time),
        _spread(ours) if ours else "-",
        _time(limit),
        f"{100 * limit / time:.0f} %" if limit else "-",
        _time(_median(reference)),
        _ratio(_median(reference), time),
        *(_time(_median(results.get(other, []))) for other in OTHERS),
    ]
    runtimes = [_median(results[other]) for other in OTHERS[2:] if results.get(other)]
    fastest = min(runtimes, default=None) if name in INFERENCE else None
    cells += [_ratio(time, fastest), _mebibytes(ours), _mebibytes(reference)]
    return cells


def _speedups(measured):
    """How many times the reference's speed Kasane has at each workload that both did."""
    speedups = {}
    for name, results in measured.items():
        ours, reference = results.get(KASANE), results.get(REFERENCE)
        if ours and reference:
            speedups[name] = _median(reference) / _median(ours)
    return speedups


def lines(record):
    """The table in Markdown, with what it was measured on."""
    peak = (record.get("peaks") or {}).get("gflops")
    heads = [
        "Workload",
        f"{KASANE} (ms)",
        "±",
        "Arithmetic's limit (ms)",
        "Reached",
        f"{REFERENCE} (ms)",
        f"{REFERENCE} ÷ {KASANE}",
        *(f"{other} (ms)" for other in OTHERS),
        f"{KASANE} ÷ faster runtime",
        f"{KASANE} (MiB)",
        f"{REFERENCE} (MiB)",
    ]
    text = [f"## The suite in {record['precision']}, {record['threads']} threads", ""]
    text += [f"- {key}: {value}" for key, value in record["conditions"].items()]
    measured = record["results"]
    if any(name in measured for name in TENSORS):
        text += ["", f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    for name in (name for name in TENSORS if name in measured):
        text.append(f"| {' | '.join(_row(name, measured[name], peak))} |")
    speedups = _speedups(measured)
    if speedups:
        mean = math.exp(statistics.fmean(math.log(ratio) for ratio in speedups.values()))
        lowest = min(speedups, key=speedups.get)
        text += [
            "",
            f"{REFERENCE} ÷ {KASANE}: {mean:.2f} in the geometric mean of {len(speedups)} workloads,"
            f" {speedups[lowest]:.2f} at the lowest ({lowest}).",
        ]
    return text + _words(measured)


def _words(measured):
    """A table of the workloads that libraries of tensors do not have."""
    names = [name for name in WORDS if name in measured]
    if not names:
        return []
    other = "gensim"
    text = [
        "",
        f"| Workload | {KASANE} (ms) | {other} (ms) | {other} ÷ {KASANE} | {KASANE} (MiB) | {other} (MiB) |",
        f"|---|{'---:|' * 5}",
    ]
    for name in names:
        ours, theirs = measured[name].get(KASANE, []), measured[name].get(other, [])
        cells = [
            name,
            _time(_median(ours)),
            _time(_median(theirs)),
            _ratio(_median(theirs), _median(ours)),
            _mebibytes(ours),
            _mebibytes(theirs),
        ]
        text.append(f"| {' | '.join(cells)} |")
    return text
