//! One user's page in another's browser: shared caches, and addresses that look like files.

use super::Attacks;
use crate::check::Check;
use crate::client::{Answer, Ask, Cookies, Device, From};
use crate::detect::{Seen, seen_apart};
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Severity, Verdict};

const SHARED: Check = Check::new(
    "shared-cache",
    "no cache shows one user's answer to another",
    "ASVS 14.3.2; RFC 9111 §3.5; J04",
    "Send Cache-Control: no-store (or private) with every answer that depends on who asks; never public or s-maxage.",
);

const DECEPTION: Check = Check::new(
    "cache-deception",
    "a personal page under a file's name is not found",
    "ASVS 14.2.5; J05",
    "Answer 404 to paths that no route has, so that /me/x.css is not /me with an ending that caches store.",
)
.severity(Severity::Medium);

const POISON: Check = Check::new(
    "cache-poisoning",
    "a header cannot change what others get from a cache",
    "OWASP WSTG-INPV-17; K04",
    "Build links from the configured public address, never from X-Forwarded-Host or Host.",
)
.severity(Severity::Medium);

pub(super) const ATTACKS: Attacks = &[
    (SHARED, |scene| Box::pin(shared(scene))),
    (DECEPTION, |scene| Box::pin(deception(scene))),
    (POISON, |scene| Box::pin(poison(scene))),
];

/// Whether a shared cache may store an answer (RFC 9111 §3): why, if so.
fn storable(answer: &Answer, by_header: bool) -> Option<String> {
    let control = answer.header_list("cache-control").to_ascii_lowercase();
    let says = |word: &str| {
        control.split(',').any(|part| part.trim() == word || part.trim().starts_with(&format!("{word}=")))
    };
    if says("no-store") || says("private") || says("no-cache") {
        return None;
    }
    if says("public") || says("s-maxage") {
        return Some(format!("Cache-Control: {control}"));
    }
    // With Authorization a cache needs to be told; with a cookie it does not.
    (says("max-age") && !says("must-revalidate") && !by_header).then(|| format!("Cache-Control: {control}"))
}

async fn shared(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.session(0).await?;
    let app = scene.app()?;
    let by_header = app.held.iter().any(|held| matches!(held.carrier, crate::Carrier::Header { ref name, .. } if name.eq_ignore_ascii_case("authorization")));
    // A word in the query keeps what is planted here out of real visitors' way.
    let url = {
        let mut url = app.who.url.clone();
        url.query_pairs_mut().append_pair("drill", &scene.words.next());
        url
    };
    let ask = || Ask::get(url.clone());
    let first = session.agent.send(session.attach(ask())).await?;
    if app.who.read(&first, &scene.accounts) != Seen::Account(0) {
        return Ok(Verdict::inconclusive(format!(
            "with a word in the query the answer is another: {}",
            first.line()
        )));
    }
    let nobody = scene.agent(Device::Other).send_apart(ask().cookies(Cookies::None)).await?;
    let mut wrong = Vec::new();
    if app.who.read(&nobody, &scene.accounts) == Seen::Account(0) {
        wrong.push(format!(
            "the same address without any credential shows the first account: {}",
            nobody.line()
        ));
    }
    if scene.accounts.len() > 1 {
        let other = scene.session(1).await?;
        let second = other.agent.send(other.attach(ask())).await?;
        if app.who.read(&second, &scene.accounts) == Seen::Account(0)
            && !matches!(app.who.sign, crate::detect::Sign::Status(_))
        {
            wrong.push(format!("the same address shows the first account to the second: {}", second.line()));
        }
    }
    if !wrong.is_empty() {
        let evidence = Evidence::new("one user's answer was shown to another").steps(wrong);
        return Ok(Verdict::Finding { severity: Severity::Critical, evidence });
    }
    let mut keepable: Vec<String> =
        storable(&first, by_header).map(|why| format!("{}: {why}", first.line())).into_iter().collect();
    // The page to which signing in leads is personal too.
    if let Some(page) = session.answer.redirect().and_then(|url| scene.target.join(url.as_str())) {
        let answer = session.agent.send(session.attach(Ask::get(page).from(From::Bar))).await?;
        let personal = app.who.read(&answer, &scene.accounts) == Seen::Account(0);
        keepable.extend(
            storable(&answer, by_header).filter(|_| personal).map(|why| format!("{}: {why}", answer.line())),
        );
    }
    if !keepable.is_empty() {
        let evidence =
            Evidence::new("caches may keep a personal answer and show it to others").steps(keepable);
        return Ok(SHARED.finding(evidence));
    }
    let control = first.header_list("cache-control");
    Ok(Verdict::pass(match &*control {
        "" => "no Cache-Control, so that a shared cache may keep nothing for long".to_owned(),
        control => format!("Cache-Control: {control}"),
    }))
}

async fn deception(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.session(0).await?;
    let app = scene.app()?;
    let word = scene.words.next();
    let path = app.who.url.path().trim_end_matches('/').to_owned();
    let mut open = Vec::new();
    for ending in
        [format!("/{word}.css"), format!(";{word}.css"), format!("%2f{word}.css"), format!("/..%2f{word}.js")]
    {
        let Some(url) = scene.target.join(&format!("{path}{ending}")) else { continue };
        let answer = session.agent.send(session.attach(Ask::get(url.clone()))).await?;
        let sees = app.who.read(&answer, &scene.accounts) == Seen::Account(0);
        if !sees || matches!(app.who.sign, crate::detect::Sign::Status(_)) {
            continue;
        }
        let control = answer.header_list("cache-control").to_ascii_lowercase();
        let kept_out = control.contains("no-store") || control.contains("private");
        let (later, again) =
            seen_apart(scene, &scene.agent(Device::Other), Ask::get(url).cookies(Cookies::None)).await?;
        if later == Seen::Account(0) {
            let evidence =
                Evidence::new("a personal page under a file's name came out of a cache for somebody else")
                    .step(again.line());
            return Ok(Verdict::Finding { severity: Severity::High, evidence });
        }
        if !kept_out {
            open.push(format!(
                "{path}{ending} shows the account, and Cache-Control does not forbid to keep it"
            ));
        }
    }
    Ok(if open.is_empty() {
        Verdict::pass("addresses that look like files show nobody's account, or may not be kept")
    } else {
        DECEPTION.finding(Evidence::new("a personal page is served under a file's name").steps(open))
    })
}

async fn poison(scene: &Scene) -> Result<Verdict, Broken> {
    let app = scene.app()?;
    let agent = scene.agent(Device::Other);
    let mut places = vec![scene.target.base().clone()];
    places.extend(app.login.page.as_deref().and_then(|page| scene.target.join(page)));
    let mut poisoned = Vec::new();
    for place in places {
        // A word in the query keeps real visitors' copies out of it.
        let ask = Ask::get(place).from(From::Bar).query("drill", &scene.words.next());
        let host = "attacker.example";
        let ask = ask
            .header("x-forwarded-host", host)
            .header("x-host", host)
            .header("forwarded", format!("host={host}"));
        let answer = agent.send_apart(ask).await?;
        let leads = answer.redirect().is_some_and(|url| url.host_str() == Some(host));
        if leads || answer.text().contains("//attacker.example") {
            poisoned.push(format!("{}: its links lead where X-Forwarded-Host says", answer.line()));
        }
    }
    Ok(if poisoned.is_empty() {
        Verdict::pass("no header decides where links lead")
    } else {
        POISON.finding(
            Evidence::new("whoever fills a cache, or asks for a mail with a link, decides where it leads")
                .steps(poisoned),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::HeaderMap;

    fn answer(control: &str) -> Answer {
        let mut headers = HeaderMap::new();
        if !control.is_empty() {
            headers.insert("cache-control", control.parse().unwrap());
        }
        Answer {
            asked: "GET /".into(),
            url: "http://localhost/".parse().unwrap(),
            status: 200,
            headers,
            set_cookies: Vec::new(),
            body: Bytes::new(),
            cut: false,
            took: std::time::Duration::ZERO,
        }
    }

    /// J04: what a shared cache may store.
    #[test]
    fn j04_storable() {
        for (control, by_header, may) in [
            ("public, max-age=60", true, true),
            ("s-maxage=10", true, true),
            ("max-age=60", true, false),
            ("max-age=60", false, true),
            ("private, max-age=60", false, false),
            ("no-store", false, false),
            ("public, no-store", false, false),
            ("", false, false),
        ] {
            assert_eq!(storable(&answer(control), by_header).is_some(), may, "{control:?} {by_header}");
        }
    }
}
