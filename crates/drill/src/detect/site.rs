//! What can be learned of an application without signing in.

use futures_util::future::join_all;

use super::bundle::Hints;
use super::common;
use super::html::{Form, Page};
use super::openapi::{self, Operation};
use super::reading::reads;
use crate::client::{Agent, Answer, Ask, From, NetError};
use crate::scene::{Broken, Scene};

/// Most scripts of one page that are read.
const SCRIPTS: usize = 12;

/// A login form and the page on which it stands.
#[derive(Debug, Clone)]
pub struct FoundForm {
    /// Path of the page.
    pub page: String,
    /// The form.
    pub form: Form,
}

/// What was learned.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// Forms that ask for a password.
    pub login_forms: Vec<FoundForm>,
    /// What scripts give away.
    pub hints: Hints,
    /// What an OpenAPI document says.
    pub operations: Vec<Operation>,
    /// Names of the fields in forms that scripts send.
    pub field_names: Vec<(String, String)>,
    /// Where a CSRF token is handed out to whoever asks.
    pub csrf: Option<String>,
    /// Links of the named page that sound like signing in.
    entrances: Vec<String>,
}

impl Site {
    /// Looks at the named page, its scripts, the usual login pages, and the usual OpenAPI documents.
    ///
    /// # Errors
    /// Only if the named page itself cannot be had.
    pub(super) async fn explore(scene: &Scene, agent: &Agent) -> Result<Self, Broken> {
        let mut site = Self::default();
        let first =
            follow(scene, agent, agent.send(Ask::get(scene.target.base().clone()).from(From::Bar)).await?)
                .await?;
        site.page(scene, agent, &first).await;
        let profiled = scene.profile.browser.login_page.as_deref();
        let entrances = site.entrances.clone();
        let pages =
            profiled.into_iter().chain(entrances.iter().map(|path| &**path)).chain(common::LOGIN_PAGES);
        let asked =
            pages.filter_map(|path| scene.target.join(path)).filter(|url| url.path() != first.url.path());
        // One after the other, until one has a form: most applications have one such page.
        for url in asked {
            if !site.login_forms.is_empty() || scene.profile.login.request.is_some() {
                break;
            }
            let Ok(answer) = agent.send(Ask::get(url).from(From::Bar)).await else { continue };
            if answer.is_success() && answer.is_html() && answer.body != first.body {
                site.page(scene, agent, &answer).await;
            }
        }
        let documents = openapi::PLACES.iter().filter_map(|path| scene.target.join(path));
        let documents = join_all(documents.map(|url| agent.send_apart(Ask::get(url)))).await;
        for answer in documents.into_iter().flatten().filter(Answer::is_success) {
            if let Some(document) = answer.json() {
                site.operations.extend(openapi::read(&document));
            }
        }
        site.csrf = site.find_csrf(scene, agent).await;
        Ok(site)
    }

    async fn page(&mut self, scene: &Scene, agent: &Agent, answer: &Answer) {
        if !answer.is_html() {
            return;
        }
        let page = Page::read(&answer.text());
        self.hints.read(&page.inline);
        for form in page.login_forms() {
            // A form without method and action is a script's: sent by itself it would put the password into the address.
            if form.method == "POST" {
                self.login_forms.push(FoundForm { page: answer.url.path().to_owned(), form: form.clone() });
            } else if let (Some(user), Some(password)) = (form.user(), form.passwords().first()) {
                self.field_names.push((user.name.clone(), (*password).to_owned()));
            }
        }
        let sounds = |link: &&String| {
            let link = link.to_lowercase();
            ["login", "log-in", "log_in", "signin", "sign-in", "sign_in", "session/new"]
                .iter()
                .any(|word| link.contains(word))
        };
        let links = page.links.iter().filter(sounds).filter_map(|link| answer.url.join(link).ok());
        self.entrances.extend(
            links.filter(|url| scene.target.join(url.as_str()).is_some()).map(|url| url.path().to_owned()),
        );
        let scripts = page.scripts.iter().filter_map(|src| answer.url.join(src).ok());
        let scripts = scripts.filter(|url| scene.target.join(url.as_str()).is_some()).take(SCRIPTS);
        for script in join_all(scripts.map(|url| agent.send_apart(Ask::get(url)))).await.into_iter().flatten()
        {
            if script.is_success() && !script.is_html() {
                self.hints.read(&script.text());
            }
        }
    }

    async fn find_csrf(&self, scene: &Scene, agent: &Agent) -> Option<String> {
        let hinted = self
            .hints
            .resolved()
            .into_iter()
            .filter(|path| common::is_csrf(path) && !path.contains('{') && reads(path));
        for path in hinted.chain(common::CSRF.map(str::to_owned)) {
            let url = scene.target.join(&path)?;
            let Ok(answer) = agent.send_apart(Ask::get(url)).await else { continue };
            let hands = answer.json().as_ref().and_then(|json| json.as_object()).is_some_and(|members| {
                members.iter().any(|(name, value)| common::is_csrf(name) && value.is_string())
            });
            if answer.is_success() && hands {
                return Some(path);
            }
        }
        None
    }

    /// Paths of GETs that scripts and documents name, without those that need something filled in, and without all that is not known
    /// to read (`reads`): they are sent without `--active`.
    #[must_use]
    pub fn readable(&self) -> Vec<String> {
        let documented =
            self.operations.iter().filter(|operation| operation.call.method == http::Method::GET);
        let documented = documented.map(|operation| operation.call.path.clone());
        documented
            .chain(self.hints.resolved())
            .filter(|path| !path.contains(['{', ':']) && reads(path))
            .collect()
    }
}

/// Follows redirects within the target, five at most, as a browser does.
///
/// # Errors
/// [`NetError`].
pub(super) async fn follow(scene: &Scene, agent: &Agent, mut answer: Answer) -> Result<Answer, NetError> {
    for _ in 0..5 {
        let Some(next) = answer.redirect().and_then(|url| scene.target.join(url.as_str())) else { break };
        answer = agent.send(Ask::get(next).from(From::Page)).await?;
    }
    Ok(answer)
}
