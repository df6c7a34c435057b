//! Can another site make the signed-in browser change something?

use std::time::Duration;

use tokio::time::sleep;
use url::Url;

use super::super::change::Change;
use super::super::stage::{Stage, Victim};
use super::super::tab::quoted;
use super::super::thief::Thief;
use super::super::{BrowserError, Tried};
use super::framing::escaped;
use crate::check::Check;
use crate::scene::Scene;
use crate::verdict::{Evidence, Verdict};

/// Until a forged request has been answered.
const SENT: Duration = Duration::from_millis(700);

const RULE: &str = "ASVS 3.5.1, 3.5.2; OWASP CSRF Prevention";
const REMEDY: &str = "Refuse unsafe requests whose Origin or Sec-Fetch-Site is another's, on top of that ask for a token that is bound to the \
                      session, and set session cookies SameSite=Strict or Lax.";

pub(super) const CROSS_SITE: Check = Check::new(
    "browser-csrf-cross-site",
    "another site cannot change anything by the victim's browser",
    RULE,
    REMEDY,
)
.active();

pub(super) const SAME_SITE: Check = Check::new(
    "browser-csrf-same-site",
    "a neighbour on the same site cannot change anything by the victim's browser",
    RULE,
    "SameSite does not help against subdomains and other ports: check Origin and Sec-Fetch-Site, and ask for a token that is bound to \
     the session.",
)
.active();

pub(super) fn cross_site<'s>(stage: &'s Stage, scene: &'s Scene) -> Tried<'s> {
    Box::pin(async move { from(stage, scene, &CROSS_SITE, "another site", |thief| &thief.cross_site).await })
}

pub(super) fn same_site<'s>(stage: &'s Stage, scene: &'s Scene) -> Tried<'s> {
    Box::pin(async move {
        from(stage, scene, &SAME_SITE, "a neighbour on the same site", |thief| &thief.same_site).await
    })
}

/// Requests that are forged from each place.
const FORGED: usize = 2;

async fn from(
    stage: &Stage,
    scene: &Scene,
    check: &Check,
    who: &str,
    site: fn(&Thief) -> &Url,
) -> Result<Verdict, BrowserError> {
    let changes = stage.changes(scene).await?;
    if changes.is_empty() {
        return Ok(Verdict::not_applicable(
            "no page has a text field of the account's own that could be changed",
        ));
    }
    let victim = stage.victim(scene).await?;
    let tab = victim.person.tab().await?;
    let thief = Thief::around(&tab, &scene.target).await?;
    let mut tried = Vec::new();
    for (number, change) in changes.iter().take(FORGED).enumerate() {
        let word = scene.words.next();
        let forgeries = forgeries(change, &word);
        for (index, (_, page)) in forgeries.iter().enumerate() {
            let path = format!("/forge-{number}-{index}");
            thief.put(&path, page.clone());
            if let Ok(page) = site(&thief).join(&path) {
                tab.open(&page).await?;
                // The page sends by itself; the answer replaces it.
                sleep(SENT).await;
            }
        }
        let names: Vec<&str> = forgeries.iter().map(|(name, _)| *name).collect();
        if let Some(by) = worked(change, &victim, &word, &names).await? {
            tab.close().await?;
            change.undo(&victim.tab).await?;
            let evidence =
                Evidence::new(format!("a page of {who} changed the victim's {} by {by}", change.field.name))
                    .step(format!("the request that was forged: {}", change.described()))
                    .step(format!("tried: {}", names.join(", ")))
                    .step(format!("the victim only opened the page; {}", change.afterwards()));
            return Ok(check.finding(evidence));
        }
        tried.push(format!("{} by {}", change.described(), names.join(", ")));
    }
    tab.close().await?;
    Ok(Verdict::pass(format!("{who} sent {}: nothing changed", tried.join("; "))))
}

/// The last forgery that worked: the one that shows.
async fn worked<'n>(
    change: &Change,
    victim: &Victim,
    word: &str,
    names: &[&'n str],
) -> Result<Option<&'n str>, BrowserError> {
    // One look for all, where nothing worked.
    if !change.seen(&victim.tab, word).await? {
        return Ok(None);
    }
    for (index, name) in names.iter().enumerate().rev() {
        if change.seen(&victim.tab, &marked(word, index)).await? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn marked(word: &str, index: usize) -> String {
    format!("{word}x{index}")
}

/// Pages that send the request by themselves: each writes a word of its own, so that it shows which of them worked.
fn forgeries(change: &Change, word: &str) -> Vec<(&'static str, String)> {
    type Forge = fn(&Change, &str) -> Option<String>;
    let ways: [(&'static str, Forge); 5] = [
        ("a form", form),
        ("a text/plain form", text_plain),
        ("a fetch", simple_fetch),
        ("a fetch with its real type", real_fetch),
        ("an image", image),
    ];
    let mut made = Vec::new();
    for (name, forge) in ways {
        if let Some(page) = forge(change, &marked(word, made.len())) {
            made.push((name, page));
        }
    }
    made
}

fn url_of(change: &Change, word: &str) -> String {
    change.url.as_str().replace(&change.marker, word)
}

fn body_of(change: &Change, word: &str) -> String {
    change.body.replace(&change.marker, word)
}

/// What an attacker cannot know is left out.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["csrf", "xsrf", "_token", "authenticity"].iter().any(|word| name.contains(word))
}

fn form(change: &Change, word: &str) -> Option<String> {
    let pairs = pairs(change, word)?;
    let inputs: String = pairs
        .iter()
        .filter(|(name, _)| !is_secret(name))
        .map(|(name, value)| {
            format!("<input type=hidden name=\"{}\" value=\"{}\">", escaped(name), escaped(value))
        })
        .collect();
    let method = if change.method == "GET" { "GET" } else { "POST" };
    Some(sending(&format!(
        "<form method={method} action=\"{}\">{inputs}</form>",
        escaped(&url_of(change, word))
    )))
}

/// JSON in a form that sends text: `{"biography":"x","drill":"="}`.
fn text_plain(change: &Change, word: &str) -> Option<String> {
    let body = body_of(change, word);
    let open = body.trim_end().strip_suffix('}').filter(|open| open.starts_with('{'))?;
    let name = format!("{open},\"drill\":\"");
    Some(sending(&format!(
        "<form method=POST enctype=\"text/plain\" action=\"{}\"><input type=hidden name=\"{}\" value=\"&quot;}}\"></form>",
        escaped(&url_of(change, word)),
        escaped(&name)
    )))
}

fn simple_fetch(change: &Change, word: &str) -> Option<String> {
    (change.method != "GET").then(|| {
        let kind = if change.content_type.contains("urlencoded") { "application/x-www-form-urlencoded" } else { "text/plain" };
        format!(
            "<script>fetch({}, {{ method: 'POST', mode: 'no-cors', credentials: 'include', headers: {{ 'content-type': '{kind}' }}, body: {} }})</script>",
            in_script(&url_of(change, word)),
            in_script(&body_of(change, word))
        )
    })
}

/// Asks first (CORS), and sends only if the application says yes to everybody.
fn real_fetch(change: &Change, word: &str) -> Option<String> {
    (change.method != "GET").then(|| {
        format!(
            "<script>fetch({}, {{ method: {}, credentials: 'include', headers: {{ 'content-type': {} }}, body: {} }})</script>",
            in_script(&url_of(change, word)),
            in_script(&change.method),
            in_script(&change.content_type),
            in_script(&body_of(change, word))
        )
    })
}

fn image(change: &Change, word: &str) -> Option<String> {
    (change.method == "GET").then(|| format!("<img src=\"{}\">", escaped(&url_of(change, word))))
}

fn sending(form: &str) -> String {
    format!("<title>win</title>{form}<script>document.forms[0].submit()</script>")
}

/// A string inside of a script element.
fn in_script(text: &str) -> String {
    quoted(text).replace('<', "\\u003c")
}

/// The fields of the body, or of the query for a GET.
fn pairs(change: &Change, word: &str) -> Option<Vec<(String, String)>> {
    let body = body_of(change, word);
    if change.method == "GET" {
        let url = Url::parse(&url_of(change, word)).ok()?;
        return Some(
            url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        );
    }
    if let Ok(serde_json::Value::Object(members)) = serde_json::from_str(&body) {
        let text =
            |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return Some(members.iter().map(|(name, value)| (name.clone(), text(value))).collect());
    }
    if change.content_type.starts_with("multipart/") {
        return Some(multipart(&body));
    }
    let pairs = url::form_urlencoded::parse(body.as_bytes());
    Some(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
}

fn multipart(body: &str) -> Vec<(String, String)> {
    let part = |part: &str| {
        let (head, value) = part.split_once("\r\n\r\n")?;
        let name = head.split_once("name=\"")?.1.split('"').next()?;
        Some((name.to_owned(), value.rsplit_once("\r\n").map_or(value, |(value, _)| value).to_owned()))
    };
    body.split("\r\n--").filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_taken_apart() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"bio\"\r\n\r\nhello\r\n--b\r\nContent-Disposition: form-data; \
                    name=\"csrf\"\r\n\r\nsecret\r\n--b--\r\n";
        assert_eq!(
            multipart(body),
            [("bio".to_owned(), "hello".to_owned()), ("csrf".to_owned(), "secret".to_owned())]
        );
        assert!(
            is_secret("csrfmiddlewaretoken") && is_secret("authenticity_token") && !is_secret("biography")
        );
        assert_eq!(in_script("</script>"), "\"\\u003c/script>\"");
    }
}
