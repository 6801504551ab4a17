"""Measured counts against the ones written down.

Note [What must not move]
Each job's instructions are in three parts: our own code, the system's libraries (copies, allocations), and the codecs.
Our own are the same on every machine with the same compiler and vector instructions, so they may move by 3 % before
somebody has to say why, downwards too: an expected value that is too high would let the next loss pass. The system's
may move by 5 %, which a few allocations more for each tile are, and all three together by 10 %; these two are compared
only where the libraries and the slides are those that the values were made with.
"""

OWN_MARGIN, SYSTEM_MARGIN, TOTAL_MARGIN = 0.03, 0.05, 0.10
UPDATE = "make bench-count UPDATE=1 writes the new values; say in the commit why they move"


def total(parts):
    return sum(parts.values())


def change(before, after):
    """ "1,000 → 1,100 (+10.0 %)" """
    percent = f" ({100 * (after / before - 1):+.1f} %)" if before else ""
    return f"{before:,} → {after:,}{percent}"


def moved(before, after, margin):
    return abs(after - before) > margin * before


def verdict(job, expected, found, *, own_only):
    """What is wrong with `found`, the parts of `job`; None if nothing is."""
    if expected is None:
        return f"{job}: no expected value. {UPDATE}"
    checks = [("own code", OWN_MARGIN, expected["own"], found["own"])]
    if not own_only:
        checks += [
            ("the system's libraries", SYSTEM_MARGIN, expected["system"], found["system"]),
            ("all code", TOTAL_MARGIN, total(expected), total(found)),
        ]
    wrong = [
        f"{what} {change(before, after)}, more than {margin:.0%}"
        for what, margin, before, after in checks
        if moved(before, after, margin)
    ]
    if not wrong:
        return None
    return f"{job}: instructions moved: {'; '.join(wrong)}. {UPDATE}"


def differences(expected, found):
    """What is not as it was: ["codec jpeg: a, expected b", …]."""
    keys = sorted(set(expected) | set(found))
    return [
        f"{key}: {found.get(key)}, expected {expected.get(key)}"
        for key in keys
        if expected.get(key) != found.get(key)
    ]


def compare(expected, found):
    """[(job, None or what is wrong)], and notes, of two documents {"made_with", "slides", "jobs"}.

    Another compiler makes other code, and on another processor other code of it runs: then there is nothing to
    compare, and no verdicts but only notes."""
    other = [
        f"the values are for {what} {before}, this is {now}: nothing to compare"
        for what in ("compiler", "instructions")
        if (before := expected["made_with"][what]) != (now := found["made_with"][what])
    ]
    if other:
        return [], other
    notes = differences(expected["made_with"], found["made_with"])
    other_slides = differences(expected["slides"], found["slides"])
    notes += [f"slide {slide}" for slide in other_slides]
    own_only = bool(notes)
    verdicts = [
        (job, verdict(job, expected["jobs"].get(job), parts, own_only=own_only))
        for job, parts in found["jobs"].items()
    ]
    for job in expected["jobs"].keys() - found["jobs"].keys():
        verdicts.append((job, f"{job}: has an expected value, and is no longer a job. {UPDATE}"))
    return verdicts, [f"only our own code is compared: {note}" for note in notes]


def changes(expected, found):
    """For --update: a line for each job, before → after."""
    for job, parts in found["jobs"].items():
        if (before := expected["jobs"].get(job)) is None:
            yield f"{job}: new, own {parts['own']:,}, all {total(parts):,}"
        elif before != parts:
            yield f"{job}: own {change(before['own'], parts['own'])}, all {change(total(before), total(parts))}"
    for job in expected["jobs"].keys() - found["jobs"].keys():
        yield f"{job}: gone"
