//! Style sheet, script and icon, under names that change with their content, so that they can be cached for ever.

use std::sync::LazyLock;

/// `Cache-Control` of every asset: its bytes never change under its name.
pub const ASSET_CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// A file that pages refer to.
#[derive(Debug)]
pub struct Asset {
    /// The request path, such as `/auth/assets/style.0123456789abcdef.css`.
    pub path: String,
    /// `Content-Type`, with charset.
    pub content_type: &'static str,
    /// The body.
    pub bytes: &'static [u8],
}

static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("style", "css", "text/css; charset=utf-8", include_bytes!("../../assets/style.css"))
});
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("page", "js", "text/javascript; charset=utf-8", include_bytes!("../../assets/page.js"))
});
static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("mark", "svg", "image/svg+xml; charset=utf-8", include_bytes!("../../assets/mark.svg"))
});

/// The asset at a request path, which must be exactly the path that pages name (J05: no suffix, no other spelling).
pub fn asset(path: &str) -> Option<&'static Asset> {
    [&*STYLE, &*SCRIPT, &*ICON].into_iter().find(|asset| asset.path == path)
}

pub(super) fn stylesheet() -> &'static str {
    &STYLE.path
}

pub(super) fn script() -> &'static str {
    &SCRIPT.path
}

pub(super) fn icon() -> &'static str {
    &ICON.path
}

impl Asset {
    fn new(stem: &str, extension: &str, content_type: &'static str, bytes: &'static [u8]) -> Self {
        let path = format!("/auth/assets/{stem}.{:016x}.{extension}", fingerprint(bytes));
        Self { path, content_type, bytes }
    }
}

/// FNV-1a, 64 bits. It tells our own versions apart, nobody else chooses the bytes: no cryptographic hash is needed.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::{asset, fingerprint, icon, script, stylesheet};

    #[test]
    fn every_named_asset_is_found_with_its_type() {
        for (path, kind) in
            [(stylesheet(), "text/css"), (script(), "text/javascript"), (icon(), "image/svg+xml")]
        {
            let asset = asset(path).unwrap();
            assert!(asset.content_type.starts_with(kind));
            assert!(!asset.bytes.is_empty());
        }
    }

    /// J05
    #[test]
    fn j05_other_spellings_of_an_asset_are_not_found() {
        for path in ["", "/auth/assets/", "/auth/assets/style.css", "/auth/assets/style.0000000000000000.css"]
        {
            assert!(asset(path).is_none(), "{path}");
        }
        assert!(asset(&format!("{}/x", stylesheet())).is_none());
        assert!(asset(&stylesheet().to_uppercase()).is_none());
    }

    /// The published test vectors of FNV-1a.
    #[test]
    fn fingerprints_follow_the_content() {
        assert_eq!(fingerprint(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
