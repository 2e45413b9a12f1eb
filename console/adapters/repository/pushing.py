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

        An empty `expected_tip` stands for a branch that is not there yet, and is made.
        Raises PushRejected when the remote holds something else or refuses; nothing was changed then.
        """
        commit = self._clone.commit_id(commit)
        tip = self._tip(branch, expected_tip)
        if tip == commit:
            return
        if tip != expected_tip:
            raise _moved(branch, tip, expected_tip)
        if tip and not self._clone.is_ancestor(expected_tip, commit):
            raise PushRejected(
                f"{commit[:7]} does not contain {branch}'s tip {tip[:7]}: pushing it would take commits away.",
                production=f"{branch} is unchanged at {tip[:7]}.",
                remedy="Merge again, onto the tip as it is now.",
            )
        try:
            answer = self._clone.git.run(
                *("push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no"),
                *(() if expected_tip else (f"--force-with-lease={head_ref(branch)}:",)),
                *("--", self._clone.remote, f"{commit}:{head_ref(branch)}"),
                timeout=NETWORK_S,
                expect=(0, 1),
            )
        except RepositoryError as error:
            self._look(commit, branch, expected_tip, error)
            return
        if answer.status != 0:
            raise self._refused(branch, expected_tip, answer)

    def _tip(self, branch: str, expected_tip: str) -> str:
        """The branch's tip; empty where it is to be made and is not there. One that was there and is gone is told."""
        return self._clone.tip(branch) if expected_tip else self._clone.tip_if_any(branch)

    def _refused(self, branch: str, expected_tip: str, answer: Output) -> PushRejected:
        lines = [line.split("\t") for line in answer.text.splitlines() if line.startswith(_REJECTED)]
        reason = lines[0][-1] if lines else clean(answer.stderr)
        tip = self._tip(branch, expected_tip)
        if tip != expected_tip:
            return _moved(branch, tip, expected_tip)
        words = clean(answer.stderr)
        return PushRejected(
            f"The remote refused the push to {branch}: {reason} ({words}).",
            production=_unchanged(branch, tip),
            remedy="See the branch's protection rules and the host's words; the same can be pushed again as it is.",
        )

    def _look(self, commit: str, branch: str, expected_tip: str, error: RepositoryError) -> None:
        """The answer to a push is lost: the remote alone knows what became of it. Returns when it arrived."""
        try:
            tip = self._tip(branch, expected_tip)
        except RepositoryError as unreachable:
            raise RepositoryError(
                f"The push was sent, its answer was lost, and {branch} cannot be read: {unreachable.message}",
                production=f"It is not known whether {branch} is at {commit[:7]} or {_as_before(expected_tip)}.",
                remedy="Look at the branch before pushing again.",
            ) from error
        if tip == commit:
            return
        if tip != expected_tip:
            raise _moved(branch, tip, expected_tip) from error
        late = " It may still arrive." if isinstance(error, TimedOut) else ""
        raise RepositoryError(
            f"The push did not succeed: {error.message}",
            production=f"{_unchanged(branch, tip)}{late}",
            remedy=error.remedy,
        ) from error


def _moved(branch: str, tip: str, expected_tip: str) -> PushRejected:
    if not expected_tip:
        return PushRejected(
            f"There is a branch {branch} already, at {tip[:7]}: it is not made anew.",
            production=f"Nothing was pushed; {branch} is at {tip[:7]}.",
            remedy="Look at what it holds, then choose another name or remove it.",
        )
    return PushRejected(
        f"{branch} is at {tip[:7]} now, not at {expected_tip[:7]} as it was when the push was confirmed: "
        "somebody else has pushed.",
        production=f"Nothing was pushed; {branch} is at {tip[:7]}.",
        remedy="Look at what came, and make the commit again on top of it.",
    )


def _unchanged(branch: str, tip: str) -> str:
    return f"{branch} is unchanged at {tip[:7]}." if tip else f"There is still no branch {branch}."


def _as_before(tip: str) -> str:
    return f"still at {tip[:7]}" if tip else "still not there"
