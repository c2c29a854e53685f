"""Small questions about text: its slug, its language, how long it takes to read."""

import math
import re
import unicodedata
from collections.abc import Iterable

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
KANA = re.compile(r"[\u3040-\u30ff]")
WORD = re.compile(r"[^\W\d_]+(?:[’'][^\W\d_]+)*")
HANGUL = re.compile(r"[\uac00-\ud7af]")
LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f\d]+")

# Words that no other language has, nor any programming language; and words that others have.
ENGLISH = frozenset(
    "the that these those you are what how your they their which who when been were would could "
    "should there some than very about because into only also after before its it's i'm "
    "does did doing being such even more most much many we're you're they're".split()
)
FOREIGN = frozenset(
    "le la les des une est et dans pour que qui sur pas du au aux ce il elle nous vous avec tu je "
    "der das und ist nicht ein eine einen den dem zu mit von auf für auch sich wir ich "
    "el los las una en por para con del se lo como más muy "
    "di che non sono della gli anche questo os um uma não com da na mais "
    "de het een van niet dat wat voor zijn aan och att som det inte på av er og ikke til "
    "nie się jest że bu bir ve ile".split()
)
CONTRACTION = re.compile(r"[a-z]+n't|[a-z]+'(?:re|ve|ll)")
# An English text, with the code in it, has one of those words in so many.
WORDS_A_SIGN = 50
BEGINNING = 5000

CHARACTERS_A_MINUTE = 400
WORDS_A_MINUTE = 220
# No text of a post holds it.
BEHIND = "\ufdd7"


def slugify(text: str) -> str:
    """Lower-case letters and digits of any script, joined by hyphens; never empty.

    Keeps `+`, `#`, a dot in front, and `--` or a star behind, so that C, C++, C# and C-- are four
    tags, net and .NET two. What
    has no letter at all is named by its code points: not every sign may stand in an address.
    """
    plain = unicodedata.normalize("NFKC", text).lower().strip()
    kept = re.sub(r"[^\w+#]+", "-", plain).strip("-")
    if re.match(r"\.\w", plain):
        kept = f".{kept}"
    if found := re.search(r"(?<=[^\W_])(--|\*)$", plain):
        kept += found[1]
    named = "-".join(f"u+{ord(each):x}" for each in text if not each.isspace())
    return (kept or named)[:180] or "-"


def with_groups(text: str, groups: Iterable[str]) -> str:
    """What is searched: the text, and behind it the names of what the post belongs to."""
    names = " · ".join(filter(None, groups))
    return f"{text}\n{BEHIND}{names}" if names else text


def without_groups(text: str) -> str:
    return text.partition(BEHIND)[0].rstrip()


def spell(slug: str) -> list[str]:
    """What a group may be called of which an address says this, the likeliest first.

    As people write it (`C++`), or as it was before `.NET` and `net`, `C--` and `C` were told apart.
    """
    return list(dict.fromkeys([slug, slugify(slug), f".{slug}", f"{slug}--", f"{slug}*"]))


def split_authors(text: str) -> list[str]:
    """The names that metadata.join_authors joined."""
    names = (name.strip() for name in text.split(";" if ";" in text else ","))
    return [name for name in names if name]


def guess_language(text: str) -> str:
    """`ja`, `ko` or `zh-Hans` by the script that the text is written in, `en` by its words.

    "" where there is too little to tell by, and for all other languages.
    """
    if len(KANA.findall(text)) > 20:
        return "ja"
    if len(HANGUL.findall(text)) > 20:
        return "ko"
    characters, words = len(HAN.findall(text)), len(LATIN_WORD.findall(text))
    if characters * 8 > words and characters > 10:
        return "zh-Hans"
    is_latin = not characters or words > 20
    return "en" if is_latin and is_english(text) else ""


def is_english(text: str) -> bool:
    """Words count as they stand within sentences: others write of `The Wire`."""
    words = [word.replace("’", "'") for word in WORD.findall(text[:BEGINNING])]
    english = sum(word in ENGLISH or bool(CONTRACTION.fullmatch(word)) for word in words)
    foreign = sum(word.lower() in FOREIGN for word in words)
    return english > 2 * foreign and english * WORDS_A_SIGN >= len(words)


def count_minutes(text: str) -> int:
    """Minutes to read the text, one at least: by characters for Chinese, by words for Latin."""
    east_asian = len(HAN.findall(text)) + len(KANA.findall(text)) + len(HANGUL.findall(text))
    words = len(LATIN_WORD.findall(text))
    return max(1, math.ceil(east_asian / CHARACTERS_A_MINUTE + words / WORDS_A_MINUTE))


def shorten(text: str, columns: int = 280) -> str:
    """The beginning of the text, cut at a word or sentence; Chinese characters count double."""
    text = " ".join(text.split())
    width = 0
    for position, character in enumerate(text):
        width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if width > columns:
            cut = text[:position]
            space = cut.rfind(" ")
            return (cut[:space] if space > position * 0.8 else cut).rstrip(" ,.;，、；") + "…"
    return text
