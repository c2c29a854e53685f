"""What is kept to come back to."""

from deployhooks.kept import Kept


def test_what_was_kept_first_stays(tmp_path):
    kept = Kept(tmp_path / "kept")
    assert not kept
    kept.keep("packages.txt", "of the version that worked")
    kept.keep("packages.txt", "of a failed attempt")
    assert kept.find("packages.txt") == "of the version that worked"
    assert kept


def test_the_next_process_finds_it_and_a_version_that_works_clears_it(tmp_path):
    Kept(tmp_path / "kept").keep("packages.txt", "Django==5.2")
    kept = Kept(tmp_path / "kept")
    assert kept.find("packages.txt") == "Django==5.2"
    kept.clear()
    assert kept.find("packages.txt") is None
    assert not kept
