//! Which of the things that a login handed out is the one that counts, how it goes back, and which request shows it.

use http::Method;

use super::common::{SCHEMES, TOKEN_HEADERS, WHO, is_csrf};
use super::session::{Held, alone_value};
use super::site::Site;
use super::tokens::{self, Candidate};
use super::who::{self, Seen, Who};
use crate::account::Account;
use crate::client::{Agent, Answer, Ask, Cookies, Device, From};
use crate::credential::{Carrier, CredentialKind, Place};
use crate::profile::{Call, Placement, Sending};
use crate::scene::{Broken, Scene};

/// What was found out.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) who: Who,
    pub(super) held: Vec<Held>,
}

/// Words in paths that tell who is signed in.
const TELLING: [&str; 11] = [
    "me",
    "user",
    "account",
    "profile",
    "session",
    "whoami",
    "self",
    "viewer",
    "current",
    "settings",
    "dashboard",
];

pub(super) async fn classify(
    scene: &Scene,
    site: &Site,
    account: &Account,
    agent: &Agent,
    answer: &Answer,
    landed: Option<&Answer>,
) -> Result<Option<Found>, Broken> {
    let candidates = wanted(scene, tokens::candidates(answer, agent), answer, agent);
    for candidate in &candidates {
        scene.vault.keep(&candidate.secret);
    }
    if candidates.is_empty() {
        return Ok(None);
    }
    let mut search = Search { scene, site, account, agent, landed };
    // With what the browser sends by itself first, then with each token in each header.
    let mut who = search.who(&[]).await?;
    let loose: Vec<&Candidate> = candidates
        .iter()
        .filter(|candidate| {
            candidate.guess == CredentialKind::Access && !matches!(candidate.place, Place::Cookie { .. })
        })
        .collect();
    'found: for token in &loose {
        for scheme in SCHEMES {
            if who.is_some() {
                break 'found;
            }
            who = search.who(&everywhere(scene, site, token, scheme)).await?;
        }
    }
    let Some(who) = who else { return Ok(None) };
    let held = search.carriers(&who, &candidates).await?;
    Ok(held.iter().any(|held| held.kind == CredentialKind::Access).then_some(Found { who, held }))
}

/// The profile's word on where the tokens lie, before any guess.
fn wanted(scene: &Scene, mut candidates: Vec<Candidate>, answer: &Answer, agent: &Agent) -> Vec<Candidate> {
    let profile = &scene.profile;
    for (placement, guess) in
        [(&profile.token.place, CredentialKind::Access), (&profile.refresh.place, CredentialKind::Refresh)]
    {
        let Some(placement) = placement else { continue };
        let place = match placement {
            Placement::Json(pointer) => Place::Json { pointer: pointer.clone() },
            Placement::Header(name) => Place::Header { name: name.to_ascii_lowercase() },
            Placement::Cookie(name) => Place::Cookie { name: name.clone() },
        };
        candidates.retain(|candidate| candidate.place != place);
        if let Some(secret) = tokens::at(&place, answer, agent) {
            candidates.insert(0, Candidate { place, secret, guess });
        }
    }
    candidates
}

/// One token in every header that it could travel in.
fn everywhere(scene: &Scene, site: &Site, token: &Candidate, scheme: &str) -> Vec<(String, String)> {
    let value = token.secret.expose();
    if let Some(Sending::Header { name, prefix }) = &scene.profile.token.send {
        return vec![(name.clone(), format!("{prefix}{value}"))];
    }
    let mut headers = vec![("authorization".to_owned(), format!("{scheme}{value}"))];
    headers.extend(header_names(site, token).map(|name| (name, value.to_owned())));
    headers
}

fn header_names(site: &Site, token: &Candidate) -> impl Iterator<Item = String> {
    let own = match &token.place {
        Place::Header { name } if name != "authorization" => Some(name.clone()),
        _ => None,
    };
    let mut names: Vec<String> = own.into_iter().chain(site.hints.headers.iter().cloned()).collect();
    names.extend(TOKEN_HEADERS.map(str::to_owned));
    names.sort();
    names.dedup();
    names.into_iter()
}

struct Search<'s> {
    scene: &'s Scene,
    site: &'s Site,
    account: &'s Account,
    agent: &'s Agent,
    landed: Option<&'s Answer>,
}

impl Search<'_> {
    /// The requests to try, likeliest first.
    fn calls(&self) -> Vec<(Call, bool)> {
        if let Some(call) = &self.scene.profile.who {
            return vec![(call.clone(), false), (call.clone(), true)];
        }
        let readable = self.site.readable();
        let telling = |path: &String| {
            let path = path.to_lowercase();
            path.split(['/', '-', '_', '.'])
                .any(|word| TELLING.iter().any(|telling| word == *telling || word == format!("{telling}s")))
        };
        let mut paths: Vec<String> = readable.iter().filter(|path| telling(path)).cloned().collect();
        paths.sort_by_key(String::len);
        paths.extend(WHO.map(str::to_owned));
        paths.extend(
            readable.into_iter().filter(|path| !path.contains("logout") && !path.contains("delete")).take(20),
        );
        let mut calls: Vec<(Call, bool)> = Vec::new();
        for path in paths {
            if !calls.iter().any(|(call, _)| call.path == path) {
                calls.push((Call::new(Method::GET, path), false));
            }
        }
        let landed = self.landed.map(|answer| (Call::new(Method::GET, answer.url.path()), true));
        calls.extend(landed);
        calls.push((Call::new(Method::GET, self.scene.target.base().path()), true));
        calls
    }

    /// The first request whose answer changes with these headers and the jar; JSON before pages, names before statuses.
    async fn who(&mut self, headers: &[(String, String)]) -> Result<Option<Who>, Broken> {
        let (mut second, nobody) = (None, self.scene.agent(Device::Own));
        for (call, page) in self.calls() {
            let Some(url) = self.scene.target.join(&call.path) else { continue };
            let ask = Ask::new(call.method.clone(), url.clone());
            let ask = if page { ask.from(From::Bar) } else { ask };
            let Ok(with) = self.agent.send(ask.clone().headers(headers.to_vec())).await else { continue };
            if !with.is_success() {
                continue;
            }
            let without = nobody.send_apart(ask.cookies(Cookies::None)).await?;
            let Some(sign) = who::sign(&with, &without, self.account) else { continue };
            let json = with.json().is_some();
            let who = Who { call, url, sign, page };
            if json && sign == who::Sign::Name || self.scene.profile.who.is_some() {
                return Ok(Some(who));
            }
            let rank = |who: &Who, json: bool| (matches!(who.sign, who::Sign::Status(_)), !json);
            if second.as_ref().is_none_or(|(known, known_json)| rank(&who, json) < rank(known, *known_json)) {
                second = Some((who, json));
            }
        }
        Ok(second.map(|(who, _)| who))
    }

    /// For each candidate: does it work alone, and how must it be sent?
    async fn carriers(&self, who: &Who, candidates: &[Candidate]) -> Result<Vec<Held>, Broken> {
        let mut held = Vec::new();
        for candidate in candidates {
            let (kind, carrier) = match &candidate.place {
                Place::Cookie { name } => {
                    let carrier = Carrier::Cookie { name: name.clone() };
                    // A refresh token is not tried out: some applications would rotate it on the way.
                    let works = candidate.guess == CredentialKind::Access
                        && self.works(who, &carrier, candidate).await?;
                    (if works { CredentialKind::Access } else { other(candidate) }, carrier)
                }
                _ if candidate.guess == CredentialKind::Access => match self.header(who, candidate).await? {
                    Some(carrier) => (CredentialKind::Access, carrier),
                    None => (CredentialKind::Other, body(candidate)),
                },
                _ => (candidate.guess, body(candidate)),
            };
            held.push(Held { kind, place: candidate.place.clone(), carrier, with: Vec::new() });
        }
        if !held.iter().any(|held| held.kind == CredentialKind::Access) {
            held.extend(self.together(who).await?);
        }
        // What is neither is of no use to a thief: preferences, trackers.
        held.retain(|held| held.kind != CredentialKind::Other || !matches!(held.place, Place::Cookie { .. }));
        Ok(held)
    }

    async fn works(&self, who: &Who, carrier: &Carrier, candidate: &Candidate) -> Result<bool, Broken> {
        let ask = alone_value(who.method(), who.url.clone(), carrier, candidate.secret.expose());
        let ask = if who.page { ask.from(From::Bar) } else { ask };
        let answer = self.agent.send_apart(ask).await?;
        // The same holder goes on with what this answer sets.
        self.agent.with_jar(|jar| {
            answer
                .set_cookies
                .iter()
                .filter(|cookie| !cookie.clears())
                .for_each(|cookie| jar.take(&answer.url, cookie))
        });
        Ok(matches!(who.read(&answer, &self.scene.accounts), Seen::Account(_)))
    }

    async fn header(&self, who: &Who, candidate: &Candidate) -> Result<Option<Carrier>, Broken> {
        if let Some(Sending::Query(name)) = &self.scene.profile.token.send {
            let carrier = Carrier::Query { name: name.clone() };
            return Ok(self.works(who, &carrier, candidate).await?.then_some(carrier));
        }
        let given = match &self.scene.profile.token.send {
            Some(Sending::Header { name, prefix }) => {
                Some(Carrier::Header { name: name.clone(), prefix: prefix.clone() })
            }
            Some(Sending::Cookie(name)) => Some(Carrier::Cookie { name: name.clone() }),
            _ => None,
        };
        let authorization =
            SCHEMES.map(|prefix| Carrier::Header { name: "authorization".into(), prefix: prefix.to_owned() });
        let named =
            header_names(self.site, candidate).map(|name| Carrier::Header { name, prefix: String::new() });
        let guesses: Vec<Carrier> = match given {
            Some(carrier) => vec![carrier],
            None => authorization.into_iter().chain(named).collect(),
        };
        for carrier in guesses {
            if self.works(who, &carrier, candidate).await? {
                return Ok(Some(carrier));
            }
        }
        Ok(None)
    }

    /// Cookies that work only together: `session` with `session.sig`.
    async fn together(&self, who: &Who) -> Result<Option<Held>, Broken> {
        let jar = self.agent.jar();
        let mut needed: Vec<(String, String)> = jar
            .all()
            .iter()
            .filter(|kept| !is_csrf(&kept.cookie.name))
            .map(|kept| (kept.cookie.name.clone(), kept.cookie.value.expose().to_owned()))
            .collect();
        let tries = |pairs: &[(String, String)]| {
            let value: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            self.agent.send_apart(who.ask().cookies(Cookies::Exactly(value.join("; "))))
        };
        if !who.read(&tries(&needed).await?, &self.scene.accounts).is_somebody() {
            return Ok(None);
        }
        for at in (0..needed.len()).rev() {
            let mut fewer = needed.clone();
            fewer.remove(at);
            if who.read(&tries(&fewer).await?, &self.scene.accounts).is_somebody() {
                needed = fewer;
            }
        }
        let mut names = needed.into_iter().map(|(name, _)| name);
        let Some(name) = names.next() else { return Ok(None) };
        Ok(Some(Held {
            kind: CredentialKind::Access,
            place: Place::Cookie { name: name.clone() },
            carrier: Carrier::Cookie { name },
            with: names.collect(),
        }))
    }
}

const fn other(candidate: &Candidate) -> CredentialKind {
    match candidate.guess {
        CredentialKind::Access => CredentialKind::Other,
        guess => guess,
    }
}

/// A token of a body goes back in one.
fn body(candidate: &Candidate) -> Carrier {
    let name = match &candidate.place {
        Place::Json { pointer } => pointer.rsplit('/').next().unwrap_or("token").to_owned(),
        place => place.to_string(),
    };
    Carrier::Body { name }
}
