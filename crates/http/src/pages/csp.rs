//! The Content-Security-Policy of our own pages (J01).

/// The policy for one answer. `nonce` is base64 (either alphabet), fresh for each answer, and the one in its page.
///
/// Any other character is left out, so a nonce can never add a directive; the page's scripts then do not match and do
/// not run, which fails closed. Everything not named falls back to `default-src 'none'`. `trusted-types 'none'`: our
/// scripts create no policy, so an injected one cannot either.
pub fn policy(nonce: &str) -> String {
    let nonce: String = nonce
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '='))
        .collect();
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self' data:; \
         object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::policy;

    /// J01
    #[test]
    fn j01_names_every_required_directive_and_allows_nothing_inline() {
        let policy = policy("q0-_A+/=");
        let directives: Vec<&str> = policy.split("; ").collect();
        for required in [
            "default-src 'none'",
            "script-src 'nonce-q0-_A+/=' 'strict-dynamic'",
            "style-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(directives.contains(&required), "{required} is missing from {policy}");
        }
        assert!(!policy.contains("unsafe"));
    }

    /// J01: a nonce cannot smuggle a source or a directive, nor end the header.
    #[test]
    fn j01_a_nonce_cannot_add_to_the_policy() {
        assert_eq!(
            policy("abc' 'unsafe-inline'; script-src *\r\nX: y"),
            policy("abcunsafe-inlinescript-srcXy")
        );
    }
}
