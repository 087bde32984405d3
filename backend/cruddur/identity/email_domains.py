"""One spelling for the domains of e-mail addresses, so that blocked ones cannot be respelled."""

import re

import idna

_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def normal_domain(domain: str) -> str:
    """Return the form of a domain that DNS uses: lower case, Punycode, and no final dot.

    Args:
        domain: a domain in any case, in Unicode or in Punycode (IDNA, UTS #46).

    Raises:
        ValueError: it is not a domain.
    """
    labels = _labels(domain)
    normal = ".".join(labels)
    if not labels or len(normal) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(f"{domain!r} is not a domain")
    return normal


def domains_of(email: str) -> list[str]:
    """Return the domain of an address and all domains above it, in their normal form.

    Labels that DNS does not allow are returned, too: a domain above them may be blocked.
    """
    labels = _labels(email.rpartition("@")[2])
    return [".".join(labels[start:]) for start in range(len(labels))]


def _labels(domain: str) -> list[str]:
    """Return the labels of a domain in lower case and in Punycode."""
    # Some characters are mapped to a dot.
    labels = ".".join(map(_mapped, _DOTS.split(domain))).split(".")
    if labels[-1] == "":
        labels.pop()
    return [
        label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in labels
    ]


def _mapped(label: str) -> str:
    """Return a label in lower case.

    Characters that only older versions of IDNA allow, such as emoji, stay: the mail server may
    accept them.
    """
    try:
        return idna.uts46_remap(label, std3_rules=False)
    except idna.IDNAError:
        return label.lower()
