"""Small questions about text: its slug, its language, how long it takes to read."""

import math
import re
import unicodedata

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
KANA = re.compile(r"[\u3040-\u30ff]")
HANGUL = re.compile(r"[\uac00-\ud7af]")
LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f\d]+")

CHARACTERS_A_MINUTE = 400
WORDS_A_MINUTE = 220


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
    """`ja`, `ko`, `zh-Hans` or `en`, by the script that the text is written in; "" when short."""
    if len(KANA.findall(text)) > 20:
        return "ja"
    if len(HANGUL.findall(text)) > 20:
        return "ko"
    characters, words = len(HAN.findall(text)), len(LATIN_WORD.findall(text))
    if characters * 8 > words and characters > 10:
        return "zh-Hans"
    return "en" if words > 20 else ""


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
