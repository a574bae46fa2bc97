"""Asking a server over a link of a certain quality: the server is tried first, then the link is laid."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from edgeseld.cloud.client import CloudClient, Codec
from edgeseld.cloud.link import LINKS
from edgeseld.cloud.shaped_link import over_link

NO_LINK = "none"


@dataclass(frozen=True, slots=True)
class Asking:
    """A client, the name of the link that it asks over, and what imitates that link (None without one)."""

    client: CloudClient
    link: str = NO_LINK
    link_means: str | None = None


@contextlib.contextmanager
def asking(
    url: str,
    model: str | None = None,
    *,
    token: str | None = None,
    codec: Codec = "flac",
    deadline_s: float = 10.0,
    link: str = NO_LINK,
) -> Iterator[Asking]:
    """A client of the server at `url` over a link by its name in LINKS, or straight.

    CloudError where the server is not there, refuses the token, or lacks the model.
    """
    with contextlib.ExitStack() as stack:
        direct = CloudClient(url, model, token, codec, deadline_s)
        stack.callback(direct.close)
        direct.check()
        if link == NO_LINK:
            yield Asking(direct)
            return
        imitation = stack.enter_context(over_link(url, LINKS[link]))
        client = CloudClient(imitation.url, model, token, codec, deadline_s)
        stack.callback(client.close)
        yield Asking(client, link, imitation.means)
