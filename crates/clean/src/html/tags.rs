//! What elements are: their tag, and what their tag, names and ancestors say about the text in them.

use copydesk_article::BlockKind;
use dom_query::Element;

use crate::rules::NameHints;

/// An element's tag, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    Html,
    Head,
    Body,
    Script,
    Meta,
    Title,
    Link,
    Base,
    /// Never holds text of the page.
    Skip,
    /// Holds the page itself where an element in it was never closed.
    Noscript,
    Br,
    P,
    /// A heading and its level.
    H(u8),
    Li,
    List,
    Blockquote,
    Figure,
    Figcaption,
    Article,
    Main,
    Section,
    Aside,
    Nav,
    Header,
    Footer,
    Form,
    Button,
    Table,
    Row,
    Cell,
    Div,
    Pre,
    Address,
    A,
    Time,
    Strong,
    /// Any other block element.
    Block,
    /// Any other inline element.
    Inline,
}

impl Tag {
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "p" => Self::P,
            "div" => Self::Div,
            "a" => Self::A,
            "span" | "em" | "i" | "u" | "small" | "font" | "sup" | "sub" | "cite" | "q" | "mark" | "abbr"
            | "label" | "img" | "ins" | "del" | "code" | "bdi" | "bdo" | "kbd" | "s" => Self::Inline,
            "strong" | "b" => Self::Strong,
            "li" | "dd" | "dt" => Self::Li,
            "ul" | "ol" | "dl" | "menu" => Self::List,
            "h1" => Self::H(1),
            "h2" => Self::H(2),
            "h3" => Self::H(3),
            "h4" => Self::H(4),
            "h5" => Self::H(5),
            "h6" => Self::H(6),
            "br" => Self::Br,
            "html" => Self::Html,
            "head" => Self::Head,
            "body" => Self::Body,
            "script" => Self::Script,
            "meta" => Self::Meta,
            "title" => Self::Title,
            "link" => Self::Link,
            "base" => Self::Base,
            "noscript" => Self::Noscript,
            "style" | "template" | "svg" | "math" | "iframe" | "object" | "embed" | "canvas" | "audio"
            | "video" | "map" | "select" | "option" | "datalist" | "textarea" | "input" | "frame"
            | "frameset" | "noframes" | "source" | "track" | "param" | "progress" | "meter" | "dialog"
            | "amp-sidebar" => Self::Skip,
            "button" => Self::Button,
            "blockquote" => Self::Blockquote,
            "figure" => Self::Figure,
            "figcaption" => Self::Figcaption,
            "article" => Self::Article,
            "main" => Self::Main,
            "section" => Self::Section,
            "aside" => Self::Aside,
            "nav" => Self::Nav,
            "header" | "hgroup" => Self::Header,
            "footer" => Self::Footer,
            "form" | "fieldset" | "legend" => Self::Form,
            "table" | "tbody" | "thead" | "tfoot" => Self::Table,
            "tr" => Self::Row,
            "td" | "th" | "caption" => Self::Cell,
            "pre" => Self::Pre,
            "address" => Self::Address,
            "time" => Self::Time,
            "center" | "details" | "summary" | "hr" | "search" => Self::Block,
            _ => Self::Inline,
        }
    }

    pub(crate) const fn is_block(self) -> bool {
        !matches!(
            self,
            Self::Inline
                | Self::A
                | Self::Time
                | Self::Strong
                | Self::Br
                | Self::Skip
                | Self::Script
                | Self::Meta
                | Self::Link
                | Self::Title
                | Self::Base
        )
    }
}

/// What an element is, or stands in. A set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flags(u32);

impl Flags {
    pub(crate) const HIDDEN: Self = Self(1);
    pub(crate) const NAV: Self = Self(1 << 1);
    pub(crate) const ASIDE: Self = Self(1 << 2);
    pub(crate) const HEADER: Self = Self(1 << 3);
    pub(crate) const FOOTER: Self = Self(1 << 4);
    pub(crate) const FIGURE: Self = Self(1 << 5);
    pub(crate) const FIGCAPTION: Self = Self(1 << 6);
    pub(crate) const BLOCKQUOTE: Self = Self(1 << 7);
    pub(crate) const LIST_ITEM: Self = Self(1 << 8);
    pub(crate) const TABLE: Self = Self(1 << 9);
    pub(crate) const FORM: Self = Self(1 << 10);
    pub(crate) const ARTICLE: Self = Self(1 << 11);
    pub(crate) const MAIN: Self = Self(1 << 12);
    pub(crate) const BUTTON: Self = Self(1 << 13);
    pub(crate) const CREDIT: Self = Self(1 << 14);
    pub(crate) const DEK: Self = Self(1 << 15);
    pub(crate) const HEADING: Self = Self(1 << 16);

    /// Text that is shown as it was typed.
    pub(crate) const PRE: Self = Self(1 << 18);
    /// A link around whole blocks: a teaser.
    pub(crate) const CARD: Self = Self(1 << 17);

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What an element itself is.
pub(crate) fn flags_of(tag: Tag, hints: NameHints, element: &Element) -> Flags {
    let by_tag = match tag {
        Tag::Nav => Flags::NAV,
        Tag::Aside => Flags::ASIDE,
        Tag::Header => Flags::HEADER,
        Tag::Footer => Flags::FOOTER,
        Tag::Figure => Flags::FIGURE,
        Tag::Figcaption => Flags::FIGCAPTION,
        Tag::Blockquote => Flags::BLOCKQUOTE,
        Tag::Li => Flags::LIST_ITEM,
        Tag::Table | Tag::Row | Tag::Cell => Flags::TABLE,
        Tag::Form => Flags::FORM,
        Tag::Article => Flags::ARTICLE,
        Tag::Main => Flags::MAIN,
        Tag::Button => Flags::BUTTON,
        Tag::H(_) => Flags::HEADING,
        Tag::Pre => Flags::PRE,
        Tag::Noscript => Flags::HIDDEN,
        _ => Flags::default(),
    };
    let role = element
        .attrs
        .iter()
        .find(|a| &*a.name.local == "role")
        .map(|a| &*a.value);
    let by_role = match role {
        Some("navigation" | "menu" | "menubar") => Flags::NAV,
        Some("complementary") => Flags::ASIDE,
        Some("contentinfo") => Flags::FOOTER,
        Some("banner") => Flags::HEADER,
        Some("button") => Flags::BUTTON,
        Some("main") => Flags::MAIN,
        _ => Flags::default(),
    };
    let mut by_name = Flags::default();
    if hints.caption {
        by_name = by_name.union(Flags::FIGCAPTION);
    }
    if hints.credit {
        by_name = by_name.union(Flags::CREDIT);
    }
    if hints.dek {
        by_name = by_name.union(Flags::DEK);
    }
    by_tag.union(by_role).union(by_name)
}

/// Whether an element is not shown.
pub(crate) fn is_hidden(element: &Element) -> bool {
    element.attrs.iter().any(|a| match &*a.name.local {
        "hidden" => true,
        // AMP: what readers without a subscription are shown instead of the rest.
        "subscriptions-section" => a.value.eq_ignore_ascii_case("content-not-granted"),
        "subscriptions-display" => {
            let start = a.value.trim_start().get(..11).unwrap_or_default();
            start.eq_ignore_ascii_case("not granted")
        }
        "subscriptions-action" | "subscriptions-dialog" => true,
        "style" => {
            let style: String = a.value.chars().filter(|c| !c.is_whitespace()).take(200).collect();
            style.contains("display:none") || style.contains("visibility:hidden")
        }
        _ => false,
    })
}

/// Whether an element within a line is not shown: hidden, cut down to nothing, or a tip for the mouse.
pub(crate) fn is_clipped(element: &Element) -> bool {
    is_hidden(element)
        || element.attrs.iter().any(|a| match &*a.name.local {
            "role" => &*a.value == "tooltip",
            "popover" => true,
            // What a term refers to by `aria-describedby`.
            "id" => a.value.contains("tooltip") && !a.value.contains("trigger"),
            "class" => a.value.split_ascii_whitespace().any(is_hiding),
            "style" => {
                let style: String = a.value.chars().filter(|c| !c.is_whitespace()).take(200).collect();
                style.contains("clip:rect(0")
                    || style.contains("clip:rect(1px")
                    || style.contains("clip-path:inset(50%")
                    || style.contains("clip-path:inset(100%")
                    || style.contains("left:-999")
                    || style.contains("left:-1000")
                    || style.contains("top:-999")
                    || style.contains("text-indent:-999")
                    || style
                        .split(';')
                        .any(|s| matches!(s, "font-size:0" | "font-size:0px"))
                    || (style.contains("width:1px") && style.contains("height:1px"))
            }
            _ => false,
        })
}

/// Classes by which frameworks hide an element. Blocks may be shown later, or on other screens.
fn is_hiding(class: &str) -> bool {
    matches!(
        class,
        "hidden" | "is-hidden" | "u-hidden" | "d-none" | "element-invisible" | "assistive-text" | "invisible"
    )
}

/// What kind of block stands in an element.
pub(crate) fn kind_of(tag: Tag, flags: Flags, chars: usize) -> BlockKind {
    match tag {
        Tag::H(_) => BlockKind::SubHeadline,
        _ if flags.has(Flags::FIGCAPTION) => BlockKind::Caption,
        _ if flags.has(Flags::CREDIT) && chars <= 160 => BlockKind::Credit,
        Tag::Li => BlockKind::ListItem,
        _ if flags.has(Flags::FIGURE)
            && !flags.has(Flags::BLOCKQUOTE.union(Flags::TABLE))
            && chars <= 500 =>
        {
            BlockKind::Caption
        }
        _ if flags.has(Flags::BLOCKQUOTE) => BlockKind::Quote,
        _ if flags.has(Flags::LIST_ITEM) => BlockKind::ListItem,
        _ => BlockKind::Body,
    }
}

/// An attribute's value.
pub(crate) fn attr<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    let found = element.attrs.iter().find(|a| &*a.name.local == name);
    found.map(|a| &*a.value)
}
