//! A change of the test account's own data that does no harm, and whether it shows: what forged requests are tried with.

use serde_json::{Map, Value};
use url::Url;

mod address;
mod find;
mod same;

pub(super) use address::address;
pub(super) use find::post_something;
use find::{by_form, by_json, own_paths};

use crate::client::{Answer, Ask, From};
use crate::detect::Session;
use crate::profile::{Call, Format};
use crate::scene::{Broken, Scene};

/// Paths of pages with forms.
const PAGES: [&str; 6] = ["/profile", "/account", "/settings", "/me", "/dashboard", "/"];

/// A change.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) call: Call,
    pub(super) format: Format,
    /// Fields as they are sent; `{marker}` is filled in.
    pub(super) fields: Vec<(String, String)>,
    /// Where it shows.
    see: Url,
    /// What was there before.
    before: Option<String>,
    /// The answer that shows it, where the value stays the same.
    same: Option<same::Welcome>,
}

impl Change {
    /// Finds one, by trying; what it tried is undone.
    pub(super) async fn find(scene: &Scene, session: &Session) -> Result<Option<Self>, Broken> {
        let app = scene.app()?;
        if let Some(profiled) = &scene.profile.change {
            let see = profiled.see.as_ref().map_or(&*app.who.call.path, |call| &*call.path);
            let Some(see) = scene.target.join(see) else { return Ok(None) };
            let change = Self {
                call: profiled.request.clone(),
                format: profiled.format.unwrap_or(Format::Json),
                fields: profiled.fields.clone().into_iter().collect(),
                see,
                before: None,
                same: None,
            };
            return Ok(change.works(scene, session).await?.then_some(change));
        }
        let mut guesses = by_json(scene, session).await?;
        guesses.extend(by_form(scene, session).await?);
        for guess in guesses {
            if guess.works(scene, session).await? {
                return Ok(Some(guess));
            }
        }
        same::find(scene, session).await
    }

    /// What to write into a profile where none is found.
    pub(super) async fn advice(scene: &Scene, session: &Session) -> Result<String, Broken> {
        same::advice(scene, session).await
    }

    /// Whether a request was obeyed: its marker shows, or it was answered as the application's own page is.
    pub(super) async fn obeyed(
        &self,
        session: &Session,
        answer: &Answer,
        marker: &str,
    ) -> Result<bool, Broken> {
        match &self.same {
            Some(welcome) => Ok(*welcome == same::Welcome::of(answer)),
            None => self.shows(session, marker).await,
        }
    }

    async fn works(&self, scene: &Scene, session: &Session) -> Result<bool, Broken> {
        let marker = scene.words.next();
        let Some(ask) = self.ask(scene, &marker) else { return Ok(false) };
        session.send(ask).await?;
        let shows = self.shows(session, &marker).await?;
        if shows {
            self.undo(scene, session).await?;
        }
        Ok(shows)
    }

    /// The request as the application's own page sends it.
    pub(super) fn ask(&self, scene: &Scene, marker: &str) -> Option<Ask> {
        let ask = Ask::new(self.call.method.clone(), scene.target.join(&self.call.path)?);
        Some(match self.format {
            Format::Json => ask.json(&self.json(marker)),
            Format::Form => ask.form(self.filled(marker)).from(From::Page),
        })
    }

    /// Its fields with the marker.
    pub(super) fn filled(&self, marker: &str) -> Vec<(String, String)> {
        self.fields.iter().map(|(name, value)| (name.clone(), value.replace("{marker}", marker))).collect()
    }

    /// The same as a JSON object.
    pub(super) fn json(&self, marker: &str) -> Value {
        Value::Object(
            self.filled(marker)
                .into_iter()
                .map(|(name, value)| (name, Value::String(value)))
                .collect::<Map<_, _>>(),
        )
    }

    /// Whether a marker shows.
    async fn shows(&self, session: &Session, marker: &str) -> Result<bool, Broken> {
        Ok(session.send(Ask::get(self.see.clone())).await?.text().contains(marker))
    }

    /// `POST /api/me`, and that it only says how it is answered, where that is so.
    pub(super) fn described(&self) -> String {
        match self.same {
            Some(_) => format!("{} (to the same value)", self.call),
            None => self.call.to_string(),
        }
    }

    /// Puts back what was there.
    pub(super) async fn undo(&self, scene: &Scene, session: &Session) -> Result<(), Broken> {
        // A form that shows no former value adds something rather than changing it.
        let adds = self.format == Format::Form && self.before.as_deref() == Some("");
        if adds {
            return Ok(());
        }
        if let (Some(before), true) = (&self.before, self.fields.iter().any(|(_, value)| value == "{marker}"))
            && let Some(ask) = self.ask(scene, before)
        {
            session.send(ask).await?;
        }
        Ok(())
    }
}
