"""Keeps of HTML of any origin what may be shown to strangers."""

import re
from functools import cache

import nh3

MATHML = frozenset(
    "math mi mn mo ms mtext mspace mrow msqrt mroot mfrac msub msup msubsup munder mover "
    "munderover mtable mtr mtd mstyle menclose mpadded mphantom mmultiscripts mprescripts".split()
)
TAGS = MATHML | frozenset(
    "a abbr aside audio b bdi bdo blockquote br caption cite code col colgroup dd del details dfn "
    "div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark nav ol p pre "
    "q rp rt ruby s samp section small source span strong sub summary sup table tbody td tfoot th "
    "thead time tr u ul var video wbr".split()
)
ATTRIBUTES = {
    "*": {"id", "class", "lang", "dir", "title", "role"},
    "a": {"href", "name"},
    "abbr": {"title"},
    "audio": {"src", "controls", "preload", "loop"},
    "blockquote": {"cite"},
    "details": {"open"},
    "div": {"data-posts", "data-code", "data-gallery"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "reversed", "type"},
    "li": {"value"},
    "source": {"src", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
    "video": {"src", "controls", "preload", "poster", "width", "height", "loop", "muted"},
    "math": {"display"},
    "mo": {"stretchy", "form", "fence", "separator", "lspace", "rspace", "minsize", "maxsize",
           "movablelimits", "accent", "symmetric", "largeop"},
    "mi": {"mathvariant"},
    "mtable": {"columnalign", "columnspacing", "rowspacing", "displaystyle"},
    "mtd": {"columnalign"},
    "mstyle": {"displaystyle", "scriptlevel", "mathcolor"},
    "mspace": {"width", "height", "depth"},
    "mfrac": {"linethickness", "displaystyle"},
    "mover": {"accent"},
    "munder": {"accentunder"},
    "menclose": {"notation"},
    "mpadded": {"width", "height", "depth", "lspace", "voffset"},
}  # fmt: skip
SCHEMES = {"http", "https", "mailto", "tel", "ftp", "xmpp", "irc", "link"}

# A post may not dress up as a part of the page around it: only these classes are kept. Those of
# one to three characters are Pygments' words for kinds of code.
CLASSES = re.compile(
    r"[a-z]{1,3}[0-9]?|highlight|linenos|language-[\w+#.-]+|admonition|admonition-title|attention|"
    r"caution|danger|error|hint|important|note|tip|warning|seealso|topic|topic-title|sidebar|"
    r"sidebar-title|sidebar-subtitle|contents|local|align-(?:left|center|right)|figure|caption|"
    r"legend|footnote(?:-list|-reference|-ref|-backref|s|s-list|-item|s-sep)?|citation(?:-list|-reference)?|brackets|label|"
    r"backrefs|superscript|attribution|epigraph|pull-quote|highlights|compound|rubric|line|"
    r"line-block|option-list|field-list|docutils|literal|literal-block|math|task|width-\d0|width-100|"
    r"versionmodified|post-list|post-title|media|code-caption|problematic|guilabel|menuselection|math-problem|ams-align|cases|"
    r"directive-argument|gallery|classifier"
)
# What HTML allows on these tags and ARIA has not given up, as doc-biblioentry and doc-endnote are.
LINK_ROLES = frozenset({"doc-backlink", "doc-biblioref", "doc-glossref", "doc-noteref"})
BOX_ROLES = frozenset({"doc-abstract", "doc-dedication", "doc-footnote", "doc-tip", "doc-notice",
                       "note", "math", "presentation"})  # fmt: skip
ROLES = {"a": LINK_ROLES, "nav": frozenset({"doc-toc"}),
         **dict.fromkeys(("div", "p", "span", "aside"), BOX_ROLES),
         "table": frozenset({"presentation"})}  # fmt: skip
OWN_IDS = "site-"


def keep_attribute(tag: str, name: str, value: str) -> str | None:
    """nh3 asks this for every allowed attribute; None drops it."""
    if name == "class":
        return " ".join(word for word in value.split() if CLASSES.fullmatch(word)) or None
    if name == "role":
        return value if value in ROLES.get(tag, ()) else None
    if name in ("id", "name"):
        return None if value.startswith(OWN_IDS) or not value.strip() else value
    if name in ("src", "poster") and re.match(
        r"(?!https?:)[a-z][a-z0-9+.-]*:", value, re.IGNORECASE
    ):
        return None
    if tag in ("img", "video") and name in ("width", "height"):
        return value if value.isdecimal() and len(value) < 5 else None
    return value


@cache
def cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        attribute_filter=keep_attribute,
        clean_content_tags={"script", "style", "template", "title", "head"},
        url_schemes=SCHEMES,
        link_rel=None,
    )


def sanitize(html: str) -> str:
    """Only what may be shown to strangers: no script, style, form, frame or foreign scheme."""
    return cleaner().clean(html)
