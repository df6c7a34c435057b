//! GETs that change something: a link, an image or a prefetch is enough.

use http::Method;
use serde_json::{Value, json};

use super::Attacks;
use crate::check::Check;
use crate::client::{Ask, From};
use crate::detect::Session;
use crate::detect::html::Page;
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Severity, Verdict};

const CHANGING: Check = Check::new(
    "state-changing-get",
    "reading an address changes nothing",
    "RFC 9110 §9.2.1; ASVS 3.5.3; B08",
    "Change things by POST, PUT, PATCH or DELETE only; links, images and prefetches are GETs that nobody meant.",
)
.severity(Severity::Medium)
.active();

pub(super) const ATTACKS: Attacks = &[(CHANGING, |scene| Box::pin(changing(scene)))];

/// Words that are no reading.
const VERBS: [&str; 14] = [
    "delete",
    "remove",
    "destroy",
    "disable",
    "enable",
    "approve",
    "transfer",
    "cancel",
    "revoke",
    "unsubscribe",
    "promote",
    "reset",
    "archive",
    "like",
];

/// An id that nothing has, and that fits 31 bits.
const NOBODYS: &str = "2147483646";

async fn changing(scene: &Scene) -> Result<Verdict, Broken> {
    let session = scene.session(0).await?;
    let paths = paths(scene, &session).await?;
    if paths.is_empty() {
        return Ok(Verdict::pass(
            "no address that sounds like a change was found in pages, scripts or documents",
        ));
    }
    let (mut acting, mut untold, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    for path in &paths {
        let probed = match really(scene, &session, path).await? {
            Some(line) => Probed::Acts(line),
            None => probe(scene, &session, path).await?,
        };
        match probed {
            Probed::Acts(line) => {
                acting.push(path.clone());
                steps.push(line);
            }
            Probed::Nothing => {}
            Probed::Untold => untold.push(path.clone()),
        }
    }
    if acting.is_empty() && !untold.is_empty() {
        return Ok(Verdict::inconclusive(format!(
            "whether a GET acts cannot be told without harm, for there is no id in it that could be one of nothing: {}",
            few(&untold)
        )));
    }
    Ok(if acting.is_empty() {
        Verdict::pass(format!(
            "{} addresses that sound like changes do nothing by GET: {}",
            paths.len(),
            few(&paths)
        ))
    } else {
        CHANGING.finding(Evidence::new(format!("a GET acts: {}", few(&acting))).steps(steps))
    })
}

/// Enough of them to know what is meant.
fn few(paths: &[String]) -> String {
    let first: Vec<&str> = paths.iter().take(4).map(String::as_str).collect();
    let more = if paths.len() > 4 { ", …" } else { "" };
    format!("{}{more}", first.join(", "))
}

async fn paths(scene: &Scene, session: &Session) -> Result<Vec<String>, Broken> {
    let app = scene.app()?;
    let mut paths: Vec<String> = scene.profile.changing_gets.iter().map(|call| call.path.clone()).collect();
    paths.extend(app.site.hints.resolved());
    paths.extend(
        app.site
            .operations
            .iter()
            .filter(|operation| operation.call.method == Method::GET)
            .map(|operation| operation.call.path.clone()),
    );
    let places = [app.who.call.path.as_str(), scene.target.base().path()];
    // Something of the account's own, beside which a page shows what can be done with it.
    super::change::post_something(scene, session).await?;
    for place in places {
        let Some(url) = scene.target.join(place) else { continue };
        let answer = session.send(Ask::get(url).from(From::Bar)).await?;
        if answer.is_html() {
            let links = Page::read(&answer.text()).links;
            let own = links
                .iter()
                .filter_map(|link| answer.url.join(link).ok())
                .filter(|url| scene.target.join(url.as_str()).is_some());
            paths.extend(own.map(|url| match url.query() {
                Some(query) => format!("{}?{query}", url.path()),
                None => url.path().to_owned(),
            }));
        }
    }
    paths.extend(collections(scene, session).await?);
    let profiled = scene.profile.changing_gets.len();
    let sounds = |path: &str| {
        path.to_lowercase().split(|c: char| !c.is_ascii_alphabetic()).any(|word| VERBS.contains(&word))
    };
    let mut kept: Vec<String> = Vec::new();
    for (at, path) in paths.into_iter().enumerate() {
        // `/delete?id=1` and `/delete?id=2` are one.
        let shape = filled(&path, NOBODYS);
        let is_new = kept.iter().all(|known| filled(known, NOBODYS) != shape);
        if (at < profiled || sounds(&path)) && is_new {
            kept.push(path);
        }
    }
    kept.truncate(60);
    Ok(kept)
}

/// What could act on the things of which there are lists: `/shifts/{}/cancel` where `/shifts` lists things with an id.
async fn collections(scene: &Scene, session: &Session) -> Result<Vec<String>, Broken> {
    let mut found = Vec::new();
    let readable = scene.app()?.site.readable();
    for path in readable.iter().filter(|path| !path.starts_with("/.well-known")).take(30) {
        let Some(url) = scene.target.join(path) else { continue };
        // Streams of events are no lists, and never end.
        let Ok(answer) = session.send(Ask::get(url)).await else { continue };
        let lists = answer.is_success() && answer.json().is_some_and(|json| lists(&json));
        if lists && found.len() < 3 * VERBS.len() {
            found.extend(VERBS.iter().map(|verb| format!("{}/{{}}/{verb}", path.trim_end_matches('/'))));
        }
    }
    Ok(found)
}

/// An array, at the top or one member down.
fn lists(json: &Value) -> bool {
    json.is_array() || json.as_object().is_some_and(|members| members.values().any(Value::is_array))
}

/// The path with every hole filled in, and every number replaced: it must hit nothing that exists.
fn filled(path: &str, id: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, hole)) = rest.split_once('{') {
        out.push_str(before);
        out.push_str(id);
        rest = hole.split_once('}').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    let mut numbers = String::new();
    for (at, part) in out.split_inclusive(['/', '=', '?', '&']).enumerate() {
        let bare = part.trim_end_matches(['/', '=', '?', '&']);
        let number = at > 0 && !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit());
        let ending = part.get(bare.len()..).unwrap_or_default();
        numbers.push_str(if number { id } else { bare });
        numbers.push_str(ending);
    }
    numbers
}

/// What a probe showed.
enum Probed {
    Acts(String),
    Nothing,
    Untold,
}

/// The same address with words in it that mean nothing: the drill's verbs, else the last segment. `None` where none is left to replace.
fn control(probing: &str, word: &str) -> Option<String> {
    let mut control = probing.to_owned();
    for verb in VERBS {
        control = control.replace(verb, word);
    }
    if control == probing {
        let (path, query) = probing.split_once('?').map_or((probing, ""), |(path, query)| (path, query));
        let (parent, last) = path.rsplit_once('/')?;
        if last.is_empty() || last == NOBODYS {
            return None;
        }
        let mark = if query.is_empty() { "" } else { "?" };
        control = format!("{parent}/{word}{mark}{query}");
    }
    (control != probing).then_some(control)
}

/// Without harm: on something that does not exist, a route that acts says something else than one that is not there.
async fn probe(scene: &Scene, session: &Session, path: &str) -> Result<Probed, Broken> {
    let probing = filled(path, NOBODYS);
    // Without an id there is no telling what it would hit.
    if !probing.contains(NOBODYS) {
        return Ok(Probed::Untold);
    }
    let Some(control) = control(&probing, &scene.words.next()) else { return Ok(Probed::Untold) };
    let (Some(url), Some(control)) = (scene.target.join(&probing), scene.target.join(&control)) else {
        return Ok(Probed::Untold);
    };
    let answer = session.send(Ask::get(url)).await?;
    let nothing = session.send(Ask::get(control)).await?;
    let acts = answer.is_success()
        && !answer.is_html()
        && (nothing.status != answer.status || nothing.body != answer.body);
    let redirects = answer.redirect().is_some() && !nothing.is_success() && nothing.redirect().is_none();
    if !(acts || redirects) {
        return Ok(Probed::Nothing);
    }
    let line = format!("{}, where a path without such a route says {}", answer.line(), nothing.status);
    Ok(Probed::Acts(line))
}

/// Makes something of the account's own, and sees a GET from another site's image or link take it away.
async fn really(scene: &Scene, session: &Session, path: &str) -> Result<Option<String>, Broken> {
    let Some((parent, _)) = path.split_once("/{") else { return Ok(None) };
    let Some(list) = scene.target.join(parent) else { return Ok(None) };
    let marker = scene.words.next();
    let body = json!({ "text": marker, "title": marker, "name": marker, "content": marker, "body": marker });
    let made = session.send(Ask::post(list.clone()).json(&body)).await?;
    let Some(id) = made.json().as_ref().and_then(id).filter(|_| made.is_success()) else { return Ok(None) };
    let there = session.send(Ask::get(list.clone())).await?.text().contains(&marker);
    let Some(url) = scene.target.join(&filled(path, &id)) else { return Ok(None) };
    let answer = session.send(Ask::get(url).from(From::CrossLink("https://attacker.example".into()))).await?;
    let gone = !session.send(Ask::get(list)).await?.text().contains(&marker);
    if !(there && gone) {
        // What was made is taken away again where that is how it is done.
        if let Some(own) = scene.target.join(&format!("{parent}/{id}")) {
            session.send(Ask::new(Method::DELETE, own)).await?;
        }
        return Ok(None);
    }
    Ok(Some(format!("made with {}, gone after {}", made.line(), answer.line())))
}

fn id(value: &Value) -> Option<String> {
    match value {
        Value::Object(members) => match members.get("id") {
            Some(Value::String(id)) => Some(id.clone()),
            Some(Value::Number(id)) => Some(id.to_string()),
            _ => members.values().find_map(id),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_differ_or_are_none() {
        assert_eq!(control("/notes/2147483646/delete", "w").as_deref(), Some("/notes/2147483646/w"));
        assert_eq!(control("/lager/2147483646/leeren", "w").as_deref(), Some("/lager/2147483646/w"));
        assert_eq!(control("/leeren?lager=2147483646", "w").as_deref(), Some("/w?lager=2147483646"));
        assert_eq!(control("/lager/2147483646", "w"), None);
    }

    #[test]
    fn holes_and_numbers_are_filled() {
        for (path, expected) in [
            ("/api/notes/{}/delete", "/api/notes/9/delete"),
            ("/notes/{id}/delete", "/notes/9/delete"),
            ("/delete?note=17", "/delete?note=9"),
            ("/notes/5/remove", "/notes/9/remove"),
            ("/delete-account", "/delete-account"),
        ] {
            assert_eq!(filled(path, "9"), expected);
        }
    }
}
