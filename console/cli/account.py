"""The account that this process runs under: who events say did something, and what people call them."""

import os
import pwd

from console.domain.untrusted import one_line


def actor() -> str:
    """Who drives, as events name it: `user@host`; a user without a name (in a container, say) goes by the number."""
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        name = f"uid{os.geteuid()}"
    return f"{name}@{os.uname().nodename}"


def full_name() -> str:
    """What the account of whoever drives says that they are called; empty when it says nothing."""
    try:
        account = pwd.getpwuid(os.geteuid())
    except KeyError:
        return ""
    name = account.pw_gecos.partition(",")[0].replace("&", account.pw_name.capitalize())
    return one_line(name).strip()
