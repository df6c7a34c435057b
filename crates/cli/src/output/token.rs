//! A token, explained to a person: first the answer, then what it rests on.

use super::page::Page;
use super::{Paint, Tone, When};
use countersign_core::domain::time::Timestamp;
use countersign_leak::explain::{BlastRadius, Explanation, Kind, Reach, Severity, span};

/// The whole explanation, without a final newline.
pub(crate) fn explained(explanation: &Explanation, when: When, paint: Paint) -> String {
    let mut out = Page::new(paint);
    out.heading(&explanation.title);
    let radius = &explanation.blast_radius;
    out.paragraph(&radius.headline, tone(radius.reach));
    out.gap();
    facts(&mut out, explanation, when);
    standing(&mut out, explanation, when);
    thief(&mut out, radius);
    flaws(&mut out, explanation);
    if !explanation.missing.is_empty() {
        out.heading("What it does not say");
        for missing in &explanation.missing {
            out.fact(missing.claim, missing.why);
        }
        out.gap();
    }
    if !explanation.claims.is_empty() {
        out.heading("What it says (nothing of it is proven here)");
        for member in explanation.header.iter().chain(&explanation.claims) {
            out.fact(&member.name, &member.value);
        }
    }
    out.finish()
}

fn facts(out: &mut Page, explanation: &Explanation, when: When) {
    let times = &explanation.times;
    let both = |at: Option<Timestamp>| at.map(|at| when.both(&at.rfc3339()));
    let list = |words: &[String]| (!words.is_empty()).then(|| words.join(" "));
    let key = explanation.key_id.as_ref().map(|kid| format!(", key {kid}")).unwrap_or_default();
    let signed = explanation.algorithm.as_ref().map(|alg| format!("{alg}{key}"));
    let id = (explanation.kind == Kind::ApiKey).then(|| explanation.key_id.clone()).flatten();
    for (name, value) in [
        ("issuer", explanation.issuer.clone()),
        ("for", list(&explanation.audience)),
        ("whose", explanation.subject.clone()),
        ("key", id),
        ("environment", explanation.environment.clone()),
        ("may", list(&explanation.powers)),
        ("signed", signed),
        ("issued", both(times.issued_at)),
        ("not before", both(times.not_before)),
        ("ends", both(times.expires_at)),
        ("lives for", times.lifetime_seconds.map(span)),
    ] {
        if let Some(value) = value {
            out.fact(name, &value);
        }
    }
    out.gap();
}

fn standing(out: &mut Page, explanation: &Explanation, when: When) {
    let Some(said) = &explanation.standing else { return };
    out.heading(&format!("What {} says", said.asked));
    let (word, tone) =
        if said.active { ("it works now", Tone::Bad) } else { ("it does not work", Tone::Good) };
    out.row(("state", Tone::Quiet), (word, tone));
    let list = |words: &[String]| (!words.is_empty()).then(|| words.join(" "));
    for (name, value) in [
        ("until", said.expires_at.map(|at| when.both(&at.rfc3339()))),
        ("whose", said.subject.clone()),
        ("may", list(&said.scope)),
        ("session", said.session.clone()),
        ("key", said.api_key.clone()),
        ("from", list(&said.addresses)),
    ] {
        if let Some(value) = value {
            out.fact(name, &value);
        }
    }
    out.gap();
}

fn thief(out: &mut Page, radius: &BlastRadius) {
    if radius.can.is_empty() && radius.cannot.is_empty() {
        return;
    }
    out.heading("In a thief's hands");
    let how_long = match radius.reach {
        Reach::Nothing => "no time at all".into(),
        Reach::AtMost { seconds } => format!("{} at most", span(seconds)),
        Reach::Unknown => "as long as its issuer lets it".into(),
        Reach::Endless => "without end".into(),
    };
    out.row(("for", Tone::Quiet), (&how_long, tone(radius.reach)));
    for can in &radius.can {
        out.fact("can", can);
    }
    for cannot in &radius.cannot {
        out.fact("cannot", cannot);
    }
    for (name, text) in [("noticed?", &radius.noticed), ("to stop it", &radius.stop)] {
        if !text.is_empty() {
            out.fact(name, text);
        }
    }
    out.gap();
}

fn flaws(out: &mut Page, explanation: &Explanation) {
    if explanation.flaws.is_empty() {
        return;
    }
    out.heading(&format!("What is wrong with it ({})", explanation.flaws.len()));
    for flaw in &explanation.flaws {
        let tone = match flaw.severity {
            Severity::Critical | Severity::High => Tone::Bad,
            Severity::Medium => Tone::Warn,
            Severity::Low => Tone::Accent,
        };
        out.row((flaw.severity.as_str(), tone), (&flaw.what, Tone::Plain));
        out.row(("", Tone::Plain), (&format!("Remedy: {}", flaw.remedy), Tone::Quiet));
    }
    out.gap();
}

const fn tone(reach: Reach) -> Tone {
    match reach {
        Reach::Nothing => Tone::Good,
        Reach::AtMost { seconds: ..=3600 } => Tone::Accent,
        Reach::AtMost { .. } | Reach::Unknown => Tone::Warn,
        Reach::Endless => Tone::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_leak::explain::explain;

    /// What a newcomer reads about the usual token: payload `{"id":7,"email":"ada@example.com","iat":1790000000}`.
    #[test]
    fn the_token_of_a_tutorial() {
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
                     eyJpZCI6NywiZW1haWwiOiJhZGFAZXhhbXBsZS5jb20iLCJpYXQiOjE3OTAwMDAwMDB9.c2lnbmF0dXJl";
        let when = When(Timestamp::from_secs(1_790_003_600));
        let explanation = explain(token, when.0).unwrap();
        insta::assert_snapshot!(explained(&explanation, when, Paint::NONE));
    }
}
