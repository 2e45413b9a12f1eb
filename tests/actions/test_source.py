"""What is deployed on earlier environments, what the release changes, and the merge commit."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from console.actions.merge import SourceMerge, skip_phrase
from console.actions.source import SourceContent, SourceDeployed
from console.domain.hosting import DeployStatus
from console.domain.outcome import Done, Evidence, NotDone
from console.errors import StepFailed, VerificationFailed
from tests.actions.fakes import Reports
from tests.actions.releasing import Release


def other_branch(release: Release) -> None:
    service = release.run.plan.service("staging-backend")
    release.hosting.services[service.id] = replace(release.hosting.services[service.id], branch="main")


def fix_not_in_branch(release: Release) -> None:
    release.repository.branches["staging"] = release.old


def fix_not_live(release: Release) -> None:
    release.hosting.add(release.run.plan.service("staging-frontend").id, release.old)


def nothing_live(release: Release) -> None:
    release.hosting.all[release.run.plan.service("staging-backend").id].clear()


def unknown_commit(release: Release) -> None:
    release.hosting.add(release.run.plan.service("staging-backend").id, "")


@pytest.mark.parametrize(
    ("arrange", "message"),
    [
        (other_branch, "crm-backend-staging tracks main; the plan says staging"),
        (fix_not_in_branch, "is not in the branch staging"),
        (fix_not_live, "crm-frontend-staging runs .*, which does not contain the fix"),
        (nothing_live, "has no live deploy"),
        (unknown_commit, "does not say which commit it runs"),
    ],
)
async def test_a_service_without_the_fix_is_named(arrange: Callable[[Release], None], message: str) -> None:
    release = Release()
    arrange(release)
    action = SourceDeployed(release.repository, release.hosting)
    context = release.run.context("code.staging")
    with pytest.raises(StepFailed, match=message) as failed:
        await action.perform(context, release.reports)
    assert failed.value.remedy == "Deploy the fix to staging, then retry."
    with pytest.raises(VerificationFailed, match=message):
        await action.verify(context, Evidence("by hand"))


async def test_the_live_fix_and_what_runs_beside_it_are_evidence() -> None:
    release = Release()
    more = release.repository.commit("another change", release.fix)
    release.hosting.add(release.run.plan.service("staging-backend").id, more)
    action = SourceDeployed(release.repository, release.hosting)
    evidence = await action.perform(release.run.context("code.staging"), release.reports)
    assert [section.title for section in evidence.sections] == ["crm-backend-staging also runs"]
    assert evidence.sections[0].lines[0].text.endswith("another change")


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (("README.md",), "not declared: README.md"),
        ((), "declared, not changed: controllers/fieldMappingController.js"),
    ],
)
async def test_other_files_than_declared_are_listed(changed: tuple[str, ...], line: str) -> None:
    release = Release()
    files = release.run.plan.release.files
    release.repository.changed = (*files, *changed) if changed else files[:3]
    with pytest.raises(StepFailed, match="other files than the plan declares") as failed:
        await SourceContent(release.repository).perform(release.run.context("code.content"), release.reports)
    assert line in failed.value.lines


async def test_a_release_that_was_mended_after_its_first_push_brings_only_what_was_mended() -> None:
    release = Release()
    pushed = release.repository.commit("first merge", release.old, release.fix)
    release.repository.branches |= {"main": pushed, "staging": release.repository.commit("mended", release.fix)}
    release.repository.changed = ("services/reportingService.js",)
    content, merge = SourceContent(release.repository), SourceMerge(release.repository)
    compared = await content.perform(release.run.context("code.content"), release.reports)
    release.run.left("code.content", compared.data)
    preview = await merge.preview(release.run.context("code.merge"))
    context = release.run.context("code.merge", preview.before)
    evidence = await merge.perform(context, release.reports)
    await merge.verify(context, evidence)
    release.repository.changed = ("services/reportingService.js", "README.md")
    with pytest.raises(VerificationFailed, match="other files") as failed:
        await merge.verify(context, evidence)
    assert failed.value.lines == ("not declared: README.md",)


async def test_content_is_compared_and_still_stands_there() -> None:
    release = Release()
    action, context = SourceContent(release.repository), release.run.context("code.content")
    evidence = await action.perform(context, release.reports)
    assert evidence.data["commits"] == [release.fix]
    await action.verify(context, evidence)
    release.repository.branches["staging"] = release.repository.commit("later", release.fix)
    with pytest.raises(VerificationFailed, match="staging moved"):
        await action.verify(context, evidence)


async def test_what_is_merged_already_cannot_be_merged_again() -> None:
    release = Release()
    release.repository.branches["main"] = release.repository.commit("merged", release.old, release.fix)
    with pytest.raises(StepFailed, match="already contains all of staging"):
        await SourceContent(release.repository).perform(release.run.context("code.content"), release.reports)


def conflict(release: Release) -> None:
    release.repository.conflicts = ("services/reportingService.js",)


def moved_since(release: Release) -> None:
    release.run.left("code.content", {"source": release.old})


def silent_message(release: Release) -> None:
    plan = release.run.plan
    release.run.plan = replace(plan, release=replace(plan.release, merge_message="Merge [Skip Render] staging"))


@pytest.mark.parametrize(
    ("arrange", "message"),
    [
        (conflict, "do not merge: 1 file in conflict"),
        (moved_since, "staging moved since its content was compared"),
        (silent_message, r"contains “\[Skip Render\]”"),
    ],
)
async def test_a_merge_that_should_not_be_made_is_refused_in_the_preview(
    arrange: Callable[[Release], None], message: str
) -> None:
    release = Release()
    arrange(release)
    with pytest.raises(StepFailed, match=message) as failed:
        await SourceMerge(release.repository).preview(release.run.context("code.merge"))
    assert "untouched" in failed.value.production
    assert failed.value.remedy


async def test_the_merge_commit_is_recorded_and_found_again() -> None:
    release = Release()
    action = SourceMerge(release.repository)
    preview = await action.preview(release.run.context("code.merge"))
    again = await action.preview(release.run.context("code.merge"))
    assert preview.digest == again.digest
    context = release.run.context("code.merge", preview.before)
    assert isinstance(await action.probe(context), NotDone)
    evidence = await action.perform(context, release.reports)
    assert evidence.data["parents"] == [release.old, release.fix]
    assert release.repository.pushes == []
    await action.verify(context, evidence)
    found = await action.probe(release.run.context("code.merge", preview.before, release.reports.durable))
    assert isinstance(found, Done)
    assert found.evidence == evidence


async def test_a_merge_of_other_tips_is_not_ours() -> None:
    release = Release()
    action = SourceMerge(release.repository)
    stranger = release.repository.commit("stranger", release.fix, release.old)
    before = (await action.preview(release.run.context("code.merge"))).before
    found = await action.probe(release.run.context("code.merge", before, ({"commit": stranger},)))
    assert isinstance(found, NotDone)


async def test_merging_by_hand_is_seen_at_the_remote() -> None:
    release = Release()
    action, context = SourceMerge(release.repository), release.run.context("code.merge")
    with pytest.raises(VerificationFailed, match="does not contain staging"):
        await action.verify(context, Evidence("by hand"))
    release.repository.branches["main"] = release.repository.commit("merged", release.old, release.fix)
    await action.verify(context, Evidence("by hand"))


@pytest.mark.parametrize("status", [DeployStatus.BUILD, DeployStatus.BUILD_FAILED])
async def test_only_a_live_deploy_counts_as_deployed(status: DeployStatus) -> None:
    release = Release()
    release.hosting.all[release.run.plan.service("devtest-backend").id].clear()
    release.hosting.add(release.run.plan.service("devtest-backend").id, release.fix, status)
    with pytest.raises(StepFailed, match="no live deploy"):
        await SourceDeployed(release.repository, release.hosting).perform(
            release.run.context("code.devtest"), Reports()
        )


@pytest.mark.parametrize(
    ("message", "phrase"),
    [
        ("Merge [skip render]", "[skip render]"),
        ("Merge\n\n[deploy skip]", "[deploy skip]"),
        ("Merge [Skip CD] now", "[Skip CD]"),
        ("Do not skip render tests", None),
    ],
)
def test_phrases_that_suppress_a_deploy_are_found(message: str, phrase: str | None) -> None:
    assert skip_phrase(message) == phrase
