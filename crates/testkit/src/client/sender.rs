//! Who causes a request, and what a browser then says about it.

/// Who caused a request: decides the Fetch Metadata, `Origin`, and which cookies come along.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sender {
    /// `fetch()` of our own page.
    OwnFetch,
    /// A link or a redirect on our own page.
    OwnLink,
    /// A form on our own page.
    OwnForm,
    /// The address bar or a bookmark.
    Typed,
    /// `fetch()` with credentials of a page on a sibling subdomain.
    SiblingFetch,
    /// A form of a page on a sibling subdomain.
    SiblingForm,
    /// `fetch()` with credentials of another site.
    ForeignFetch,
    /// An image of another site.
    ForeignImage,
    /// A frame of another site.
    ForeignFrame,
    /// A link of another site.
    ForeignLink,
    /// A form of another site.
    ForeignForm,
    /// No browser: no header of its own.
    Bare,
}

impl Sender {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::OwnFetch,
        Self::OwnLink,
        Self::OwnForm,
        Self::Typed,
        Self::SiblingFetch,
        Self::SiblingForm,
        Self::ForeignFetch,
        Self::ForeignImage,
        Self::ForeignFrame,
        Self::ForeignLink,
        Self::ForeignForm,
        Self::Bare,
    ];

    /// `Sec-Fetch-Site`, `-Mode` and `-Dest`.
    pub(super) const fn fetch_metadata(self) -> Option<[&'static str; 3]> {
        Some(match self {
            Self::OwnFetch => ["same-origin", "cors", "empty"],
            Self::OwnLink | Self::OwnForm => ["same-origin", "navigate", "document"],
            Self::Typed => ["none", "navigate", "document"],
            Self::SiblingFetch => ["same-site", "cors", "empty"],
            Self::SiblingForm => ["same-site", "navigate", "document"],
            Self::ForeignFetch => ["cross-site", "cors", "empty"],
            Self::ForeignImage => ["cross-site", "no-cors", "image"],
            Self::ForeignFrame => ["cross-site", "navigate", "iframe"],
            Self::ForeignLink | Self::ForeignForm => ["cross-site", "navigate", "document"],
            Self::Bare => return None,
        })
    }

    pub(super) const fn is_foreign(self) -> bool {
        matches!(
            self,
            Self::ForeignFetch
                | Self::ForeignImage
                | Self::ForeignFrame
                | Self::ForeignLink
                | Self::ForeignForm
        )
    }

    pub(super) const fn navigates(self) -> bool {
        matches!(
            self,
            Self::OwnLink
                | Self::OwnForm
                | Self::Typed
                | Self::SiblingForm
                | Self::ForeignLink
                | Self::ForeignForm
        )
    }

    /// Browsers send `Origin` with unsafe methods, and with every CORS request to another origin.
    pub(super) fn origin(self, own: &str, safe: bool) -> Option<String> {
        match self {
            Self::OwnFetch | Self::OwnForm | Self::OwnLink | Self::Typed => (!safe).then(|| own.to_owned()),
            Self::SiblingFetch => Some(String::from("https://sibling.countersign.test")),
            Self::SiblingForm => (!safe).then(|| String::from("https://sibling.countersign.test")),
            Self::ForeignFetch => Some(String::from("https://evil.test")),
            Self::ForeignForm | Self::ForeignImage | Self::ForeignFrame | Self::ForeignLink => {
                (!safe).then(|| String::from("https://evil.test"))
            }
            Self::Bare => None,
        }
    }
}
