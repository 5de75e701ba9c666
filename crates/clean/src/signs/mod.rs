//! Signs: what speaks for taking out a block that reads as prose, and the weights that are added up.
//!
//! A phrase or the name of an element is right about labels, and often wrong about sentences: ministers are quoted on
//! Telegram, a section about cookies may be a recipe. So a sentence goes only by signs whose weights together reach
//! [`Weights::needed`]. The weights are data (`weights.toml`).

mod weights;

pub(crate) use weights::{Weights, names};

/// One sign. Its name is that of `weights.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Name,
    SureName,
    Aside,
    Hidden,
    Controls,
    BoxLinks,
    BoxHeading,
    BoxControls,
    BoxTitle,
    Links,
    Phrase,
    SurePhrase,
    Address,
    Request,
    Contact,
    Label,
    Short,
    Outside,
    Neighbour,
}

impl Sign {
    pub(crate) const ALL: [Self; 19] = [
        Self::Name,
        Self::SureName,
        Self::Aside,
        Self::Hidden,
        Self::Controls,
        Self::BoxLinks,
        Self::BoxHeading,
        Self::BoxControls,
        Self::BoxTitle,
        Self::Links,
        Self::Phrase,
        Self::SurePhrase,
        Self::Address,
        Self::Request,
        Self::Contact,
        Self::Label,
        Self::Short,
        Self::Outside,
        Self::Neighbour,
    ];

    /// The sign's name, as in `weights.toml`, in evidence and in a rules file.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::SureName => "sure-name",
            Self::Aside => "aside",
            Self::Hidden => "hidden",
            Self::Controls => "controls",
            Self::BoxLinks => "box-links",
            Self::BoxHeading => "box-heading",
            Self::BoxControls => "box-controls",
            Self::BoxTitle => "box-title",
            Self::Links => "links",
            Self::Phrase => "phrase",
            Self::SurePhrase => "sure-phrase",
            Self::Address => "address",
            Self::Request => "request",
            Self::Contact => "contact",
            Self::Label => "label",
            Self::Short => "short",
            Self::Outside => "outside",
            Self::Neighbour => "neighbour",
        }
    }

    const fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

/// A set of signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Signs(u32);

impl Signs {
    pub(crate) const fn add(&mut self, sign: Sign) {
        self.0 |= sign.bit();
    }

    pub(crate) const fn add_if(&mut self, sign: Sign, holds: bool) {
        if holds {
            self.add(sign);
        }
    }

    pub(crate) const fn has(self, sign: Sign) -> bool {
        self.0 & sign.bit() != 0
    }

    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set without some signs.
    pub(crate) fn without(self, others: &[Sign]) -> Self {
        Self(others.iter().fold(self.0, |all, sign| all & !sign.bit()))
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Sign> {
        Sign::ALL.into_iter().filter(move |s| self.has(*s))
    }

    /// The names of the signs, for the evidence of a removal.
    pub(crate) fn names(self) -> String {
        let names: Vec<&str> = self.iter().map(Sign::name).collect();
        names.join(", ")
    }
}
