"""What older versions of the posts were like, as far as they have been rendered."""

from collections import defaultdict
from collections.abc import Callable
from hashlib import sha1

from posts import conventions, galleries, heads, source
from posts.attic import Attic
from posts.placement import Wish
from posts.rendering import Draft
from posts.source import PostUnreadable, SourceFile
from posts.spool import Spool

# Only the file's name and content decide where it asks to be, and whether it lies among the pages;
# what a gallery is called is that of its folder.
Key = tuple[str, str]


class Versions:
    """Answers about versions of posts, and notes in `missing` those to render for the answer.

    Until then the answer is a guess.
    """

    def __init__(self, attic: Attic, spool: Spool) -> None:
        self.attic = attic
        self.spool = spool
        self.missing: dict[Key, SourceFile] = {}
        self.rendered: dict[Key, SourceFile] = {}
        self.is_good_by_key: dict[Key, bool] = {}
        # Rendered versions by name, until their places are wanted.
        self.unread: dict[str, list[SourceFile]] = defaultdict(list)
        self.heads: dict[Key, bytes] = {}
        self.stored: dict[Key, Callable[[], Draft]] = {}
        self.wishes: dict[bytes, Wish] = {}
        self.take(list(spool.places))

    def take(self, sources: list[SourceFile]) -> None:
        """These lie in the spool now."""
        for each in sources:
            key = key_of(each)
            self.rendered[key] = each
            self.unread[key[0]].append(each)
            self.missing.pop(key, None)

    def keep(self, each: SourceFile, read: Callable[[], Draft]) -> None:
        """A good one that a row holds."""
        self.stored[key_of(each)] = read
        self.is_good_by_key[key_of(each)] = True

    def find_spooled(self, each: SourceFile) -> SourceFile:
        """The one under which the spool has it."""
        return self.rendered.get(key_of(each), each)

    def find_draft(self, each: SourceFile) -> Draft | None:
        """None for a broken version; the guess is None too."""
        if key_of(each) in self.stored:
            return self.stored[key_of(each)]()
        if key_of(each) not in self.rendered:
            self.missing[key_of(each)] = each
            return None
        return self.spool.get(self.find_spooled(each)).draft

    def is_good(self, each: SourceFile) -> bool:
        """The guess is that it is."""
        key = key_of(each)
        if key not in self.is_good_by_key:
            if key not in self.rendered:
                self.missing[key] = each
                return True
            self.is_good_by_key[key] = self.find_draft(each) is not None
        return self.is_good_by_key[key]

    def find_wish(self, each: SourceFile) -> Wish | None:
        """Where it asks to be if it is not broken, as any good version with that head tells.

        None where none does; that is the guess, too.
        """
        head = self.find_head(each)
        for known in self.unread.pop(key_of(each)[0], ()):
            draft = self.find_draft(known)
            if draft:
                self.wishes[self.find_head(known)] = Wish(
                    draft.day, draft.base_slug, draft.stated_language, draft.is_translation
                )
        if head not in self.wishes and key_of(each) not in self.rendered:
            self.missing[key_of(each)] = each
        return self.wishes.get(head)

    def find_head(self, each: SourceFile) -> bytes:
        """What its day and slug depend on, as a digest."""
        key = key_of(each)
        if key not in self.heads:
            self.heads[key] = self.digest_head(each)
        return self.heads[key]

    def digest_head(self, each: SourceFile) -> bytes:
        name, digest = key_of(each)
        # A translation's file has the same extension as the one that it translates.
        parts = [self.read_head(name, part) for part in digest.partition("@")[0].split("~")]
        return sha1("\0".join([name, *parts]).encode(), usedforsecurity=False).digest()

    def read_head(self, name: str, digest: str) -> str:
        if not digest[:40].isalnum():
            return digest
        try:
            text = self.attic.read_blob(digest[:40])
        except PostUnreadable:
            return digest
        return heads.find_head(text, is_rst=source.is_rst(name)) + digest[40:]


def key_of(each: SourceFile) -> Key:
    if galleries.is_page(each.path):
        return each.path, each.digest
    name = each.path.rpartition("/")[2]
    return f"pages/{name}" if conventions.is_page(each.path) else name, each.digest
