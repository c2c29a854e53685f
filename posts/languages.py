"""Languages that a file's name may end with, as `post.zh_cn.md` does."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable

from django.conf.locale import LANG_INFO

# ISO 639-1, and what of ISO 639-2 and -3 people blog in: `notes.on.md` is in no language.
CODES = frozenset(
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy "
    "da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu "
    "hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb "
    "lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om "
    "or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw "
    "ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu "
    "ast dsb fil fur hsb kab yue".split()
)
# Of those what is a word, a program or a file's ending too: `using.ts.md`, `do.it.md`.
MISLEADING = frozenset(
    "am an ar as ay be bg cr cs cu cv dz ee el ff ga gl gn ha he hi ho id ie ig io is it ko kv la "
    "lo mi mk ml ms my na no om or os pa pl ps sc se sm so ss st sv ta te tg ti tk to tr ts tt tw "
    "ve vi".split()
)
# What Django has no name of its own for.
NAMES = {
    "zh": "中文", "zh-cn": "简体中文", "zh-sg": "简体中文",
    "zh-hk": "繁體中文", "zh-mo": "繁體中文", "zh-tw": "繁體中文",
}  # fmt: skip
# Nikola's `{path}.{lang}.{ext}`.
TRANSLATION = re.compile(
    r"(.*[^/.])\.(([a-z]{2,3})(?:[_-](?:[A-Za-z]{2}|[A-Za-z]{4}))?)(\.[^./]+)", re.DOTALL
)


def split_path(path: str) -> tuple[str, str]:
    """(`a/post.md`, `zh_cn`) of `a/post.zh_cn.md`; both are "" where no language is named."""
    found = TRANSLATION.fullmatch(path) if path.count(".") > 1 else None
    return (found[1] + found[4], found[2]) if found and found[3] in CODES else ("", "")


def shorten(code: str) -> str:
    """`zh` of `zh-Hans`: the language alone."""
    return re.split("[_-]", code)[0].lower()


def native(language: str) -> str:
    """What people who speak the language call it."""
    parts = language.lower().split("-")
    codes = ["-".join(parts[:end]) for end in range(len(parts), 0, -1)]
    names = (NAMES.get(code) or LANG_INFO.get(code, {}).get("name_local") for code in codes)
    name = next(filter(None, names), "")
    return name[:1].upper() + name[1:] or language


def group_by_base(paths: Iterable[str]) -> dict[str, set[str]]:
    """What is called a translation, by the path of what it would translate, there or not."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        if base := split_path(path)[0]:
            found[base].add(path)
    return found


def tell_of_translations(paths: Collection[str]) -> bool:
    """Whether files that would translate one that is not there are meant as translations.

    One alone is none, nor are several where each may be called after something else.
    """
    codes = {shorten(split_path(path)[1]) for path in paths}
    return len(paths) > 1 and not codes <= MISLEADING
