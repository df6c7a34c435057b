//! The commands themselves: parse what was typed, call one service, show what came of it.

use super::api_keys;
use super::keys;
use super::look_up::{
    email, failed, no_user, shown_events, shown_invitation, shown_session, shown_user, user,
};
use super::protocol::{Answer, EventQuery, Explained, Fault, Passphrase, Reply, Request};
use super::token;
use countersign_core::domain::event::EventFilter;
use countersign_core::domain::id::{PublicId, RequestId};
use countersign_core::domain::password::Password;
use countersign_core::domain::scope::ScopeSet;
use countersign_core::domain::session::{Held, Liveness};
use countersign_core::domain::time::Timestamp;
use countersign_core::domain::user::User;
use countersign_core::port::{Outside, ScopeChange};
use countersign_core::service::{AddUser, AddUserError, Context, Engine, InviteError, Removed, Target};
use countersign_store::AnyStore;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Users or sessions in one answer.
const PAGE: u32 = 200;
/// Sessions in one answer.
const MOST_SESSIONS: usize = 1000;
/// Events in one answer.
const MOST_EVENTS: u32 = 10_000;
/// What counts as "just before" the end of a session.
const JUST_BEFORE: Duration = Duration::from_secs(15 * 60);
/// Events told of one session.
const TOLD: usize = 20;

/// Does what an operator asks for. In effect on this node when it returns.
pub(crate) async fn handle<O: Outside<Store = AnyStore>>(engine: &Engine<O>, request: Request) -> Answer {
    let context = Context::default();
    match request {
        Request::UserAdd { email: typed, password, scope } => {
            let scope = ScopeSet::from_names(scope.iter().map(String::as_str)).map_err(failed)?;
            let (email, password) = (email(&typed)?, parse_password(&password)?);
            let request = AddUser { email: &email, password: &password, scope };
            let added =
                engine.add_user(request, &context).await.map_err(|error| unchanged(&error, &typed))?;
            Ok(Reply::User(shown_user(&added)))
        }
        Request::UserInvite { email: typed, scope } => invite(engine, &typed, &scope, &context).await,
        Request::UserList { after } => {
            let after = after.as_deref().map(email).transpose()?;
            let page = engine.users(after.as_ref(), PAGE).await.map_err(failed)?;
            Ok(Reply::Users { users: page.rows.iter().map(shown_user).collect(), more: page.more })
        }
        Request::UserDisable { email: typed, disabled } => {
            let before = user(engine, &typed).await?;
            if before.disabled_at.is_some() == disabled {
                return Ok(Reply::Unchanged(Box::new(Reply::User(shown_user(&before)))));
            }
            let changed = engine.set_disabled(&email(&typed)?, disabled, &context).await;
            changed.map_err(|error| unchanged(&error, &typed))?;
            Ok(Reply::User(shown_user(&user(engine, &typed).await?)))
        }
        Request::UserScope { email: typed, add, remove } => {
            change_scope(engine, &typed, &add, &remove, &context).await
        }
        Request::UserRemove { email: typed } => {
            let removed = engine.remove_user(&email(&typed)?, &context).await;
            let Removed { user, sessions, api_keys } = removed.map_err(|error| unchanged(&error, &typed))?;
            Ok(Reply::Removed { user: shown_user(&user), sessions, api_keys })
        }
        Request::UserPassword { email: typed, password } => {
            let changed = engine.reset_password(&email(&typed)?, &parse_password(&password)?, &context).await;
            changed.map_err(|error| unchanged(&error, &typed))?;
            Ok(Reply::User(shown_user(&user(engine, &typed).await?)))
        }
        Request::SessionList { user: of, all } => list_sessions(engine, of.as_deref(), all).await,
        Request::SessionShow { id } => explain(engine, &public_id(&id)?).await,
        Request::ApiKey(request) => api_keys::handle(engine, request, &context).await,
        Request::Inspect { token } => token::inspect(engine, &token).await,
        Request::SigningKeyList => keys::list(engine).await,
        Request::SigningKeyRotate { force } => keys::rotate(engine, force, &context).await,
        Request::SigningKeyRetire { kid } => keys::retire(engine, &kid, &context).await,
        Request::MasterKeyList => keys::list_masters(engine).await,
        Request::MasterKeyRotate => keys::rotate_master(engine, &context).await,
        Request::MasterKeyReseal => keys::reseal(engine, &context).await,
        Request::MasterKeyRemove { id } => keys::remove_master(engine, id, &context).await,
        Request::RevokeSession { id } => {
            let ended = engine.revoke(&Target::Session(public_id(&id)?), &context).await.map_err(failed)?;
            Ok(Reply::Revoked { ended: ended.ok_or_else(|| no_session(&id))? })
        }
        Request::RevokeUser { user: typed } => {
            let target = Target::User(user(engine, &typed).await?.id);
            let ended = engine.revoke(&target, &context).await.map_err(failed)?;
            Ok(Reply::Revoked { ended: ended.ok_or_else(|| no_user(&typed))? })
        }
        Request::RevokeAll => {
            let ended = engine.revoke(&Target::Everyone, &context).await.map_err(failed)?;
            Ok(Reply::Revoked { ended: ended.unwrap_or_default() })
        }
        Request::Events(query) => {
            let filter = filter(engine, query).await?;
            let found = engine.events(&filter).await.map_err(failed)?;
            // Events outlive their session, so that it is unknown counts only where there are none either.
            if let (true, None, Some(id)) = (found.is_empty(), filter.after, &filter.session)
                && engine.explain_session(id).await.map_err(failed)?.is_none()
            {
                return Err(no_session(id.as_str()));
            }
            Ok(Reply::Events { events: shown_events(engine, found).await? })
        }
        Request::Backup { path } => backup(engine, Path::new(&path)).await,
    }
}

async fn change_scope<O: Outside>(
    engine: &Engine<O>,
    typed: &str,
    add: &[String],
    remove: &[String],
    context: &Context,
) -> Answer {
    let named = |names: &[String]| ScopeSet::from_names(names.iter().map(String::as_str)).map_err(failed);
    let change = ScopeChange { add: named(add)?, remove: named(remove)? };
    if let Some(both) = change.add.intersection(&change.remove).iter().next() {
        return Err(Fault::new(format!("{both:?} is to be given and taken: leave one of the two out")));
    }
    let changed = engine.change_scope(&email(typed)?, &change, context).await;
    let changed = changed.map_err(|error| unchanged(&error, typed))?;
    let ended = changed.revoked.map(|revoked| revoked.ended.len());
    let reply = Reply::Scoped { user: shown_user(&changed.user), ended };
    Ok(if changed.changed { reply } else { Reply::Unchanged(Box::new(reply)) })
}

async fn invite<O: Outside>(engine: &Engine<O>, typed: &str, scope: &[String], context: &Context) -> Answer {
    let scope = ScopeSet::from_names(scope.iter().map(String::as_str)).map_err(failed)?;
    let email = email(typed)?;
    let invited = engine.invite(&email, scope.clone(), context).await.map_err(|error| match error {
        InviteError::NotByInvitation => Fault::new(
            "accounts are not made by invitation here: set accounts.signup = \"invite\" and restart the server, or use \
             `countersign user add`",
        ),
        InviteError::Taken => taken(typed),
        InviteError::Mail(_) | InviteError::Service(_) => failed(error),
    })?;
    Ok(Reply::Invited(shown_invitation(&email, &scope, &invited)))
}

fn parse_password(typed: &Passphrase) -> Result<Password, Fault> {
    Password::parse(&typed.0).map_err(failed)
}

fn unchanged(error: &AddUserError, typed: &str) -> Fault {
    match error {
        AddUserError::NoUser => no_user(typed),
        AddUserError::Taken => taken(typed),
        other => failed(other),
    }
}

fn taken(typed: &str) -> Fault {
    Fault::new(format!(
        "there is a user {typed:?} already; `countersign user password {typed}` sets another password"
    ))
}

fn public_id(typed: &str) -> Result<PublicId, Fault> {
    PublicId::parse(typed).ok_or_else(|| no_session(typed))
}

fn no_session(typed: &str) -> Fault {
    Fault::new(format!(
        "there is no session {typed:?}; `countersign session list --all` shows those of the last 90 days"
    ))
}

async fn list_sessions<O: Outside>(engine: &Engine<O>, of: Option<&str>, all: bool) -> Answer {
    let mut sessions = Vec::new();
    if let Some(typed) = of {
        sessions_of(engine, user(engine, typed).await?, all, &mut sessions).await?;
        return Ok(listed(engine, sessions, false));
    }
    let mut after = None;
    loop {
        let page = engine.users(after.as_ref(), PAGE).await.map_err(failed)?;
        after = page.rows.last().map(|user| user.email.clone());
        for user in page.rows {
            sessions_of(engine, user, all, &mut sessions).await?;
            if sessions.len() > MOST_SESSIONS {
                return Ok(listed(engine, sessions, true));
            }
        }
        if !page.more {
            return Ok(listed(engine, sessions, false));
        }
    }
}

async fn sessions_of<O: Outside>(
    engine: &Engine<O>,
    user: User,
    all: bool,
    into: &mut Vec<(Held, Liveness)>,
) -> Result<(), Fault> {
    let found = if all { engine.all_sessions(&user.id).await } else { engine.live_sessions(&user.id).await };
    for session in found.map_err(failed)? {
        let held = Held { session, user: user.clone() };
        let liveness = held.liveness(&engine.policy().session, engine.now());
        into.push((held, liveness));
    }
    Ok(())
}

fn listed<O: Outside>(engine: &Engine<O>, mut sessions: Vec<(Held, Liveness)>, more: bool) -> Reply {
    sessions.sort_by_key(|(held, _)| std::cmp::Reverse(held.session.created_at));
    let more = more || sessions.len() > MOST_SESSIONS;
    sessions.truncate(MOST_SESSIONS);
    let sessions = sessions.iter().map(|(held, liveness)| shown_session(engine, held, *liveness)).collect();
    Reply::Sessions { sessions, more }
}

/// "Why was I logged out?": the session, its own events, and what happened to its user around its end (a
/// revocation of all sessions names the user only).
async fn explain<O: Outside>(engine: &Engine<O>, id: &PublicId) -> Answer {
    let (held, liveness) =
        engine.explain_session(id).await.map_err(failed)?.ok_or_else(|| no_session(id.as_str()))?;
    let of_session = EventFilter { session: Some(id.clone()), limit: 50, ..EventFilter::default() };
    let mut events: BTreeMap<_, _> = engine.events(&of_session).await.map_err(failed)?.into_iter().collect();
    if let Liveness::Revoked(ended) = liveness {
        let of_user = EventFilter {
            user: Some(held.user.id.clone()),
            since: Some(ended.at.minus(JUST_BEFORE)),
            limit: 1000,
            ..EventFilter::default()
        };
        let until = ended.at.plus(Duration::from_secs(2));
        let around = engine.events(&of_user).await.map_err(failed)?;
        events.extend(around.into_iter().filter(|(_, event)| event.session.is_none() && event.at <= until));
    }
    let last = events.len().saturating_sub(TOLD);
    let events = shown_events(engine, events.into_iter().skip(last).collect()).await?;
    let session = shown_session(engine, &held, liveness);
    Ok(Reply::Session(Box::new(Explained { session, events })))
}

async fn filter<O: Outside>(engine: &Engine<O>, query: EventQuery) -> Result<EventFilter, Fault> {
    let user = match query.user.as_deref() {
        Some(typed) => Some(user(engine, typed).await?.id),
        None => None,
    };
    let request = query.request.as_deref().map(|typed| {
        RequestId::parse(typed).ok_or_else(|| Fault::new(format!("{typed:?} is not the id of a request")))
    });
    Ok(EventFilter {
        user,
        session: query.session.as_deref().map(public_id).transpose()?,
        request: request.transpose()?,
        since: query.since.map(Timestamp::from_millis),
        after: query.after,
        limit: query.limit.min(MOST_EVENTS),
    })
}

async fn backup<O: Outside<Store = AnyStore>>(engine: &Engine<O>, path: &Path) -> Answer {
    if !path.is_absolute() {
        return Err(Fault::new("the path of a backup has to be absolute"));
    }
    // What is in memory belongs into the copy.
    engine.flush().await.map_err(failed)?;
    match engine.outside().store() {
        AnyStore::Sqlite(store) => store.backup(path).await.map_err(failed)?,
        AnyStore::Memory(_) => return Err(Fault::new("a store in memory cannot be backed up")),
    }
    Ok(Reply::Done)
}
