"""Keeps requests short that fit the document: a minute's wait and ten seconds of computing are right, and too long for a test.

Values that do not fit are sent as they are, so that the bounds are tested all the same.
"""

import schemathesis

# The longest that a test waits in milliseconds, the most terms that it sums, and what the document allows.
BOUNDS = {"ms": (20, 60_000), "n": (1_000, 20_000_000_000)}


@schemathesis.hook
def before_call(context, case, kwargs):
    query = case.query
    if not isinstance(query, dict):
        return
    for name, (short, allowed) in BOUNDS.items():
        try:
            value = int(query[name])
        except (KeyError, TypeError, ValueError):
            continue
        if short < value <= allowed:
            query[name] = type(query[name])(short)
    # Without the parameter both have defaults, which are long too.
    for name, (short, _) in BOUNDS.items():
        if takes(case.operation, name) and name not in query:
            query[name] = short


def takes(operation, name):
    return any(parameter.name == name for parameter in operation.query)
