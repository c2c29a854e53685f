"""Languages that a file's name may end with, as `post.zh_cn.md` does."""

import re

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
# Nikola's `{path}.{lang}.{ext}`.
TRANSLATION = re.compile(
    r"(.*[^/.])\.(([a-z]{2,3})(?:[_-](?:[A-Za-z]{2}|[A-Za-z]{4}))?)(\.[^./]+)", re.DOTALL
)


def split_path(path: str) -> tuple[str, str]:
    """(`a/post.md`, `zh_cn`) of `a/post.zh_cn.md`; both are "" where no language is named."""
    found = TRANSLATION.fullmatch(path) if path.count(".") > 1 else None
    return (found[1] + found[4], found[2]) if found and found[3] in CODES else ("", "")
