//! What is said of a token.

use serde::Serialize;

use super::claim::Member;
use super::flaw::Flaw;
use super::missing::Missing;
use super::radius::BlastRadius;
use super::standing::Standing;
use super::times::Times;

/// What kind of token it looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Countersign's access token.
    Access,
    /// Countersign's assertion for an upstream.
    Assertion,
    /// Countersign's refresh token.
    Refresh,
    /// Countersign's API key.
    ApiKey,
    /// Countersign's CSRF token.
    Csrf,
    /// What the retrofit leaves in place of an application's token.
    Placeholder,
    /// A token of ours that was cut or mistyped.
    Damaged,
    /// A JWT of anybody.
    Jwt,
    /// An encrypted JWT.
    Jwe,
    /// A signed cookie of a web framework.
    SignedCookie,
    /// Anything else: only who issued it knows what it stands for.
    Opaque,
}

impl Kind {
    /// Whether a server of Countersign can say what it is worth.
    #[must_use]
    pub const fn can_be_asked_about(self) -> bool {
        matches!(self, Self::Access | Self::Refresh | Self::ApiKey | Self::Jwt)
    }
}

/// What is said of a token: nothing of it is proven, unless [`standing`](Self::standing) says so.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Explanation {
    /// For programs.
    pub kind: Kind,
    /// The kind for people, with what is particular about it.
    pub title: String,
    /// `iss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// `sub`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `aud`.
    pub audience: Vec<String>,
    /// `env`, or what the prefix says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// `alg`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// `kid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// `scope`, `scp`, `roles`, `role` or `permissions`, as words.
    pub powers: Vec<String>,
    /// Age and remaining life.
    pub times: Times,
    /// Members of the header.
    pub header: Vec<Member>,
    /// The claims.
    pub claims: Vec<Member>,
    /// What it does not say and should.
    pub missing: Vec<Missing>,
    /// What is wrong with it, most serious first.
    pub flaws: Vec<Flaw>,
    /// What a thief could do, and for how long.
    pub blast_radius: BlastRadius,
    /// What the server said, if one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

impl Explanation {
    /// One of which nothing but its kind and worth is known.
    pub(super) fn bare(kind: Kind, title: impl Into<String>, blast_radius: BlastRadius) -> Self {
        Self {
            kind,
            title: title.into(),
            issuer: None,
            subject: None,
            audience: Vec::new(),
            environment: None,
            algorithm: None,
            key_id: None,
            powers: Vec::new(),
            times: Times::default(),
            header: Vec::new(),
            claims: Vec::new(),
            missing: Vec::new(),
            flaws: Vec::new(),
            blast_radius,
            standing: None,
        }
    }
}
