//! Learns what `[[retrofit]]` has to say, by signing in as a test account: with the eyes of the drill.

use super::found::{Found, Refresh};
use super::logout;
use countersign_drill::client::Answer;
use countersign_drill::credential::Jwt;
use countersign_drill::detect::{App, Held, Session, sounds_like_sign_up, tokens};
use countersign_drill::{Broken, Carrier, Credential, CredentialKind, Place, Progress, Scene};
use serde_json::Value;

/// Names under which a JWT carries its user, best first.
const SUBJECTS: [&str; 5] = ["sub", "user_id", "userId", "uid", "id"];
/// Longer lives are worth a word.
const LONG: u64 = 3600;

/// Signs in, and looks.
///
/// # Errors
/// [`Broken`], with a sentence that says what to do.
pub(crate) async fn learn(scene: &Scene, progress: &dyn Progress) -> Result<Found, Broken> {
    let app = scene.find_out(progress).await?;
    let mut session = scene.session(0).await?;
    let held = chosen(&app.held)?;
    let credential = credential_of(&session, held)?;
    let mut open = Vec::new();
    let lifetime = lifetime(&credential, &session, scene.present.now().as_secs());
    note_lifetime(lifetime, app.refresh.is_some(), &mut open);
    note_others(&app.held, held, &mut open);
    let subject = subject(&credential);
    if subject.is_none() {
        open.push(
            "The token names no user that could be read, so each session has a user of its own; if one of its claims does, set subject = \"/claim\"."
                .to_owned(),
        );
    }
    progress.part("renewing the token");
    let refresh = refresh(scene, app, held, &mut session, &mut open).await?;
    progress.part("signing out");
    let logout = logout::find(scene, app).await?;
    if logout.is_none() {
        open.push("No request was found that signs out: set logout = [\"POST /path\"], else a session of Countersign's outlives the application's logout.".to_owned());
    }
    note_sign_up(app, &mut open);
    Ok(Found {
        url: scene.target.origin().to_string(),
        login: vec![without_query(&app.login.call.to_string())],
        logout: logout.into_iter().collect(),
        token: place(&held.place)?,
        inject: inject(&held.carrier)?,
        subject,
        refresh,
        lifetime,
        who: app.who.call.to_string(),
        open,
    })
}

/// The credential to take out: what script can read goes before what only the browser holds.
fn chosen(all: &[Held]) -> Result<&Held, Broken> {
    let rank = |held: &&Held| match held.place {
        Place::Json { .. } => 0,
        Place::Header { .. } => 1,
        Place::Cookie { .. } => 2,
        Place::Script { .. } => 3,
    };
    let access = all.iter().filter(|held| held.kind == CredentialKind::Access);
    access
        .min_by_key(rank)
        .ok_or_else(|| Broken::Unknown("signing in gave nothing that works as a token".to_owned()))
}

fn credential_of(session: &Session, held: &Held) -> Result<Credential, Broken> {
    let missing = || Broken::Unknown("the token of the first sign-in was not there again".to_owned());
    session.credentials().into_iter().find(|credential| credential.place == held.place).ok_or_else(missing)
}

/// As `[[retrofit]]` writes it.
fn place(place: &Place) -> Result<String, Broken> {
    match place {
        Place::Json { pointer } => Ok(format!("json:{pointer}")),
        Place::Header { name } => Ok(format!("header:{name}")),
        Place::Cookie { name } => Ok(format!("cookie:{name}")),
        Place::Script { name } => Err(Broken::Unknown(format!(
            "the token is made in the browser ({name}), so no answer could be rewritten"
        ))),
    }
}

fn inject(carrier: &Carrier) -> Result<String, Broken> {
    match carrier {
        Carrier::Header { name, prefix } => Ok(format!("{}: {prefix}{{token}}", name.to_ascii_lowercase())),
        Carrier::Cookie { name } => Ok(format!("cookie: {name}={{token}}")),
        Carrier::Query { name } => Err(Broken::Unknown(format!(
            "the token goes back in the address (?{name}=…), where no gateway can keep it out of logs and histories: change the application to send a header"
        ))),
        Carrier::Body { name } => Err(Broken::Unknown(format!(
            "the token goes back in bodies (member {name:?}); only a header or a cookie can be injected"
        ))),
    }
}

/// `exp - iat`, or the cookie's `Max-Age`; a cookie without one may be good for ever. Of the jar, not of the answer to signing
/// in: many applications set the cookie on the first page, and only remember later who it is.
fn lifetime(credential: &Credential, session: &Session, now: i64) -> Option<u64> {
    let by_claims = credential.jwt().and_then(|jwt| jwt.lifetime(now));
    let Place::Cookie { name } = &credential.place else { return by_claims };
    let jar = session.agent.jar();
    by_claims.or_else(|| jar.named(name)?.lives.and_then(|seconds| u64::try_from(seconds).ok()))
}

fn note_lifetime(lifetime: Option<u64>, renewed: bool, open: &mut Vec<String>) {
    match lifetime {
        None => open.push(
            "The token does not say how long it is good. Countersign ends its own sessions by tokens.idle_ttl and tokens.absolute_ttl; set end_on_401 = true if a 401 always means that the application's session is over."
                .to_owned(),
        ),
        Some(seconds) if seconds < LONG && !renewed => open.push(format!(
            "The token is good for {seconds} s and no request was found that renews it: people will be signed out then; set refresh if there is one."
        )),
        Some(_) => {}
    }
}

/// What a browser would still hold.
fn note_others(all: &[Held], taken: &Held, open: &mut Vec<String>) {
    for held in all.iter().filter(|held| held.kind == CredentialKind::Access && held.place != taken.place) {
        open.push(format!(
            "A second credential works too ({}): it stays with the browser, for [[retrofit]] takes one.",
            held.place
        ));
    }
    if !taken.with.is_empty() {
        open.push(format!(
            "The cookie counts only together with {}: [[retrofit]] holds one cookie; let the application use one.",
            taken.with.join(", ")
        ));
    }
}

fn subject(credential: &Credential) -> Option<String> {
    let Jwt { claims, .. } = credential.jwt()?;
    let names = |name: &&&str| matches!(claims.get(**name), Some(Value::String(_) | Value::Number(_)));
    SUBJECTS.iter().find(names).map(|name| format!("/{name}"))
}

async fn refresh(
    scene: &Scene,
    app: &App,
    held: &Held,
    session: &mut Session,
    open: &mut Vec<String>,
) -> Result<Option<Refresh>, Broken> {
    let own = app.held.iter().find(|other| other.kind == CredentialKind::Refresh);
    let Some(call) = &app.refresh else {
        if let Some(own) = own {
            open.push(format!(
                "There is what looks like a refresh token ({}), and no request was found that takes it: it stays with the browser unless refresh is set.",
                own.place
            ));
        }
        return Ok(None);
    };
    let renewed = call.renew(scene, session).await?;
    if !renewed.accepted {
        open.push(format!(
            "{} renewed the token once and then refused ({}).",
            call.call,
            renewed.answer.line()
        ));
    }
    let token = own.map(|own| place(&own.place)).transpose()?;
    // In the body under a name of its own, or where it came from.
    let send = call
        .fields
        .first()
        .map(|field| format!("json:/{}", escaped(field)))
        .filter(|send| Some(send) != token.as_ref());
    Ok(Some(Refresh {
        request: without_query(&call.call.to_string()),
        token,
        send,
        answer: answer_place(&held.place, &renewed.answer, session),
    }))
}

/// Where the fresh token lies, if not where the first one lay.
fn answer_place(first: &Place, answer: &Answer, session: &Session) -> Option<String> {
    if tokens::at(first, answer, &session.agent).is_some() {
        return None;
    }
    let last = |pointer: &str| pointer.rsplit('/').next().map(str::to_owned);
    let Place::Json { pointer } = first else { return None };
    let same_name = |candidate: &tokens::Candidate| matches!(&candidate.place, Place::Json { pointer: other } if last(other) == last(pointer));
    let found = tokens::candidates(answer, &session.agent).into_iter().find(same_name)?;
    place(&found.place).ok()
}

/// RFC 6901 §3.
fn escaped(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

/// A token path is compared without its query.
fn without_query(call: &str) -> String {
    call.split('?').next().unwrap_or(call).to_owned()
}

/// Sign-up is not tried: it would make an account.
fn note_sign_up(app: &App, open: &mut Vec<String>) {
    let documented =
        app.site.operations.iter().filter(|operation| operation.call.method == http::Method::POST);
    let documented = documented.map(|operation| operation.call.path.clone());
    let mut paths: Vec<String> = documented
        .chain(app.site.hints.resolved())
        .filter(|path| sounds_like_sign_up(path) && !path.contains('{'))
        .collect();
    // Of `/api/signup` and `/signup`, which a script puts together, the whole one.
    let all = paths.clone();
    paths.retain(|path| !all.iter().any(|other| other != path && other.ends_with(&**path)));
    paths.dedup();
    if let Some(path) = paths.first() {
        open.push(format!("{path} sounds like sign-up and was not tried: if its answer brings a token, add \"POST {path}\" to login."));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(place: Place) -> Held {
        let carrier = Carrier::Header { name: "Authorization".into(), prefix: "Bearer ".into() };
        Held { kind: CredentialKind::Access, place, carrier, with: Vec::new() }
    }

    #[test]
    fn what_script_reads_is_taken_first() {
        let cookie = held(Place::Cookie { name: "sid".into() });
        let body = held(Place::Json { pointer: "/a/key".into() });
        let all = [cookie.clone(), body.clone()];
        assert_eq!(chosen(&all).unwrap(), &body);
        let mut open = Vec::new();
        note_others(&all, &body, &mut open);
        assert!(open.len() == 1 && open[0].contains("cookie sid"), "{open:?}");
        assert!(chosen(&[Held { kind: CredentialKind::Other, ..cookie }]).is_err());
    }

    #[test]
    fn places_and_templates() {
        assert_eq!(place(&Place::Json { pointer: "/a".into() }).unwrap(), "json:/a");
        assert_eq!(place(&Place::Cookie { name: "sid".into() }).unwrap(), "cookie:sid");
        assert_eq!(
            inject(&held(Place::Script { name: "x".into() }).carrier).unwrap(),
            "authorization: Bearer {token}"
        );
        assert_eq!(inject(&Carrier::Cookie { name: "sid".into() }).unwrap(), "cookie: sid={token}");
        assert!(inject(&Carrier::Query { name: "t".into() }).unwrap_err().to_string().contains("address"));
        assert!(place(&Place::Script { name: "x".into() }).is_err());
        assert_eq!((escaped("a/b~c"), without_query("POST /a?b=1")), ("a~1b~0c".into(), "POST /a".into()));
    }

    #[test]
    fn lifetimes_are_told() {
        for (lifetime, renewed, notes) in
            [(None, false, 1), (Some(300), false, 1), (Some(300), true, 0), (Some(99999), false, 0)]
        {
            let mut open = Vec::new();
            note_lifetime(lifetime, renewed, &mut open);
            assert_eq!(open.len(), notes, "{lifetime:?} {renewed}");
        }
    }
}
