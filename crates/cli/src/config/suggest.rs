//! "Did you mean …?"

/// Below this likeness (Jaro-Winkler, 0 to 1) a suggestion confuses more than it helps.
const LIKE: f64 = 0.8;

/// The candidate most like `typed`, if one is like enough.
pub(super) fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_ascii_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&typed, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_typos_and_stays_silent_on_strangers() {
        let keys = ["access_ttl", "idle_ttl", "absolute_ttl", "audience", "leeway"];
        for (typed, expected) in [
            ("acess_ttl", Some("access_ttl")),
            ("access-ttl", Some("access_ttl")),
            ("AccessTtl", Some("access_ttl")),
            ("idel_ttl", Some("idle_ttl")),
            ("zebra", None),
        ] {
            assert_eq!(nearest(typed, keys), expected, "{typed}");
        }
    }
}
