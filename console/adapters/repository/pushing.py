"""Pushing: never forced, only onto the tip that was seen, and looked after when the answer was lost."""

from console.adapters.repository.clone import Clone
from console.adapters.repository.command import NETWORK_S, Output, TimedOut
from console.adapters.repository.names import head_ref
from console.adapters.repository.troubles import clean
from console.errors import PushRejected, RepositoryError

_REJECTED = "!"


class Pusher:
    """Pushes commits of a clone to its remote. Blocking. Raises RepositoryError."""

    def __init__(self, clone: Clone) -> None:
        self._clone = clone

    def push(self, commit: str, branch: str, expected_tip: str) -> None:
        """Make `commit` the branch's tip, if `expected_tip` is still it and an ancestor of `commit`.

        Raises PushRejected when the remote holds something else or refuses; nothing was changed then.
        """
        commit = self._clone.commit_id(commit)
        tip = self._clone.tip(branch)
        if tip == commit:
            return
        if tip != expected_tip:
            raise _moved(branch, tip, expected_tip)
        if not self._clone.is_ancestor(expected_tip, commit):
            raise PushRejected(
                f"{commit[:7]} does not contain {branch}'s tip {tip[:7]}: pushing it would take commits away.",
                production=f"{branch} is unchanged at {tip[:7]}.",
                remedy="Merge again, onto the tip as it is now.",
            )
        try:
            answer = self._clone.git.run(
                *("push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no"),
                *("--", self._clone.remote, f"{commit}:{head_ref(branch)}"),
                timeout=NETWORK_S,
                expect=(0, 1),
            )
        except RepositoryError as error:
            self._look(commit, branch, expected_tip, error)
            return
        if answer.status != 0:
            raise self._refused(branch, expected_tip, answer)

    def _refused(self, branch: str, expected_tip: str, answer: Output) -> PushRejected:
        lines = [line.split("\t") for line in answer.text.splitlines() if line.startswith(_REJECTED)]
        reason = lines[0][-1] if lines else clean(answer.stderr)
        tip = self._clone.tip(branch)
        if tip != expected_tip:
            return _moved(branch, tip, expected_tip)
        words = clean(answer.stderr)
        return PushRejected(
            f"The remote refused the push to {branch}: {reason} ({words}).",
            production=f"{branch} is unchanged at {tip[:7]}.",
            remedy="See the branch's protection rules and the host's words; the merge can be pushed again as it is.",
        )

    def _look(self, commit: str, branch: str, expected_tip: str, error: RepositoryError) -> None:
        """The answer to a push is lost: the remote alone knows what became of it. Returns when it arrived."""
        try:
            tip = self._clone.tip(branch)
        except RepositoryError as unreachable:
            raise RepositoryError(
                f"The push was sent, its answer was lost, and {branch} cannot be read: {unreachable.message}",
                production=f"It is not known whether {branch} is at {commit[:7]} or still at {expected_tip[:7]}.",
                remedy="Look at the branch before pushing again.",
            ) from error
        if tip == commit:
            return
        if tip != expected_tip:
            raise _moved(branch, tip, expected_tip) from error
        late = " It may still arrive." if isinstance(error, TimedOut) else ""
        raise RepositoryError(
            f"The push did not succeed: {error.message}",
            production=f"{branch} is unchanged at {tip[:7]}.{late}",
            remedy=error.remedy,
        ) from error


def _moved(branch: str, tip: str, expected_tip: str) -> PushRejected:
    return PushRejected(
        f"{branch} is at {tip[:7]} now, not at {expected_tip[:7]} as it was when the push was confirmed: "
        "somebody else has pushed.",
        production=f"Nothing was pushed; {branch} is at {tip[:7]}.",
        remedy="Look at what came, and merge again.",
    )
