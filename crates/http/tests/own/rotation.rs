//! Rotation under load, across nodes and restarts (D02, D03, D08, D19).

use std::borrow::Cow;
use std::collections::HashSet;

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::event::EventName;
use countersign_core::domain::id::Generation;
use countersign_core::domain::recognise::{TokenShape, redact, shape};
use countersign_core::domain::rotation::AfterRollback;
use countersign_core::domain::token::refresh;
use countersign_core::domain::user::Email;
use countersign_core::port::Store;
use countersign_core::service::{Context, NewEvent};
use countersign_store::{AnyStore, OpenMode, SqliteStore};
use countersign_testkit::{Answer, Client, FailingStore, Mode, PASSWORD, TestOutside, TestSite};
use futures_util::future::join_all;

use crate::{MINUTE, assert_event, seconds};

const ADA: &str = "ada@example.com";

fn successors(answers: &[Answer]) -> HashSet<String> {
    let cookies = answers.iter().filter_map(|a| a.set_cookie("__Host-Http-cs-refresh"));
    cookies.map(|c| c.value).collect()
}

async fn generation(site: &TestSite) -> u32 {
    let user = site.outside.store.user_by_email(&Email::parse(ADA).unwrap()).await.unwrap().unwrap();
    site.outside.store.sessions_of(&user.id, true).await.unwrap()[0].rotation.current.0
}

async fn refresh_all(clients: &[Client]) -> Vec<Answer> {
    join_all(clients.iter().map(|client| async {
        client.post("/auth/refresh").with_csrf().losing_cookies().send().await.expect_status(200)
    }))
    .await
}

/// D02: 200 parallel refreshes with one token are 200 successes and one successor.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d02_two_hundred_parallel_refreshes() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let before = generation(&site).await;
    // Slow enough that all of them meet in the middle.
    site.outside.store.set(Mode::Slow(std::time::Duration::from_millis(20)));
    let answers = refresh_all(&vec![client.clone(); 200]).await;
    site.outside.store.set(Mode::Working);
    assert_eq!(answers.len(), 200);
    assert_eq!(successors(&answers).len(), 1, "one successor");
    assert_eq!(generation(&site).await, before + 1);
    // Each of the 200 holders can go on.
    client.put_cookie(CookieKind::Refresh, successors(&answers).iter().next().unwrap());
    client.refresh().await.expect_status(200);
}

/// D02: across two nodes over one store.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d02_across_nodes() {
    let outside = TestOutside::default();
    let a = TestSite::production().outside(outside.clone()).start().await;
    let b = TestSite::production().outside(outside).start().await;
    let client = a.signed_in(ADA).await;
    let other = b.adopt(&client);
    let before = generation(&a).await;
    a.outside.store.set(Mode::Slow(std::time::Duration::from_millis(20)));
    let clients: Vec<Client> =
        (0..200).map(|n| if n % 2 == 0 { client.clone() } else { other.clone() }).collect();
    let answers = refresh_all(&clients).await;
    a.outside.store.set(Mode::Working);
    assert_eq!(successors(&answers).len(), 1);
    assert_eq!(generation(&a).await, before + 1);
}

/// D03: order is a counter. With grace 0, three rotations within one instant, then the first again.
#[tokio::test]
async fn d03_grace_zero() {
    let site = TestSite::production().policy(|p| p.rotation.reuse_grace = seconds(0)).start().await;
    let client = site.signed_in(ADA).await;
    let first = client.copy();
    for _ in 0..3 {
        let before = client.cookie(CookieKind::Refresh);
        client.refresh().await.expect_status(200);
        assert_ne!(client.cookie(CookieKind::Refresh), before, "Keep is off");
    }
    first.refresh().await.expect(401, "refresh_reused");
    client.refresh().await.expect(401, "session_revoked");
}

/// D03: a restart forgets nothing that matters: spent stays spent, live stays live, dead stays dead.
#[tokio::test]
async fn d03_restart() {
    let outside = TestOutside::default();
    let mut site = TestSite::production().outside(outside.clone()).start().await;
    let client = site.signed_in(ADA).await;
    let thief = client.copy();
    let gone = site.signed_in("gone@example.com").await;
    let gone_copy = gone.copy();
    gone.log_out().await.expect_status(204);
    client.refresh().await.expect_status(200);
    client.get("/auth/session").expect_status(200).await;
    site.tick().await;
    site.stop();
    outside.clock.advance(seconds(30));
    let site = TestSite::production().outside(outside).start().await;
    let (client, thief, gone) = (site.adopt(&client), site.adopt(&thief), site.adopt(&gone_copy));
    gone.get("/auth/session").expect(401, "session_revoked").await;
    client.get("/auth/session").expect_status(200).await;
    thief.refresh().await.expect(401, "refresh_reused");
    client.get("/auth/session").expect(401, "session_revoked").await;
}

/// D08: nothing in a full copy of the database can be presented: no token, no part of one that would do.
#[tokio::test]
async fn d08_a_dump_holds_nothing_to_present() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("countersign.db");
    let sqlite = SqliteStore::open(&path, OpenMode::Create).unwrap();
    let outside =
        TestOutside { store: FailingStore::around(AnyStore::Sqlite(sqlite)), ..TestOutside::default() };
    let site = TestSite::production().outside(outside).start().await;
    let client = site.signed_in(ADA).await;
    // Of the first generation too: what is handed out at a login is written down at other places than its successors.
    let first = client.copy();
    site.advance(MINUTE);
    client.refresh().await.expect_status(200);
    site.client().sign_up("new@example.com", PASSWORD).await.expect_status(202);
    let code = site.outside.mailer.last_to("new@example.com").unwrap().code().unwrap().to_owned();
    site.tick().await;
    let mut dump = Vec::new();
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        dump.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    assert!(contains(&dump, ADA.as_bytes()), "the dump is the database");
    for holder in [&first, &client] {
        let access = holder.cookie(CookieKind::Access).unwrap();
        let refresh = holder.cookie(CookieKind::Refresh).unwrap();
        let signature = access.rsplit('.').next().unwrap();
        let tag = &refresh[refresh.len() - 40..];
        let csrf = holder.csrf_token().unwrap();
        for secret in [access.as_str(), signature, &refresh, tag, &csrf, PASSWORD, &code] {
            assert!(!contains(&dump, secret.as_bytes()), "{secret}");
        }
    }
    // Columns stand one behind the other without anything between them: a token may begin in the middle of a word.
    let text = String::from_utf8_lossy(&dump);
    for start in ["eyJ", "csr_", "csk_"] {
        for (at, _) in text.match_indices(start) {
            let word =
                text[at..].split(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).next().unwrap();
            assert!(matches!(redact(word), Cow::Borrowed(_)), "a token shape in the dump: {word}");
        }
    }
}

/// D08, I01: what is written down of an event holds no token, whoever put it there and whatever it stands in.
#[tokio::test]
async fn d08_events_are_stored_without_tokens() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let (access, refresh) =
        (client.cookie(CookieKind::Access).unwrap(), client.cookie(CookieKind::Refresh).unwrap());
    for text in [
        access.clone(),
        refresh.clone(),
        format!("first{refresh}and on"),
        format!("x{access} y"),
        format!("{}{refresh}", "p".repeat(480)),
        format!("token={access}&x=1"),
    ] {
        let event = NewEvent::done(EventName::SessionCreated, "test").detail(&text);
        site.site.engine().record(event, &Context::default());
    }
    let events = site.events().await;
    let told: Vec<_> = events.iter().filter(|event| &*event.reason == "test").collect();
    assert_eq!(told.len(), 6);
    for event in told {
        for token in [&access, &refresh] {
            let part = &token[token.len() / 2..token.len() / 2 + 20];
            assert!(!event.detail.contains(part), "{}", event.detail);
        }
        assert!(event.detail.contains("[redacted") || event.detail.contains("[cut]"), "{}", event.detail);
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// D19: no token shape in any body that a script could read.
#[tokio::test]
async fn d19_no_token_in_any_body() {
    let site = TestSite::development().start().await;
    let client = site.client();
    let mut bodies = vec![client.sign_up(ADA, PASSWORD).await];
    bodies.push(client.log_in(ADA, PASSWORD).await);
    site.advance(MINUTE);
    bodies.push(client.refresh().await);
    for route in countersign_http::own_routes().into_iter().filter(|r| r.method == "GET") {
        bodies.push(client.get(&route.path.replace("{id}", "x").replace("{name}", "x")).send().await);
    }
    bodies.push(client.delete("/auth/sessions/x").with_csrf().send().await);
    bodies.push(client.log_out().await);
    for answer in bodies {
        let text = answer.text();
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)));
        for word in words {
            assert!(
                !matches!(shape(word), Some(TokenShape::Jwt | TokenShape::Refresh | TokenShape::ApiKey)),
                "{word}"
            );
        }
    }
}

/// A refresh token of a generation that the store has not reached: what a client holds after a failover lost writes.
async fn from_the_future(site: &TestSite) -> String {
    let user = site.outside.store.user_by_email(&Email::parse(ADA).unwrap()).await.unwrap().unwrap();
    let session = site.outside.store.sessions_of(&user.id, true).await.unwrap().remove(0);
    let keyring = site.site.engine().keyring();
    let ahead = Generation(session.rotation.current.0 + 5);
    let token = refresh::derive(keyring, session.master_key, session.sid, &session.salt, ahead);
    token.unwrap().expose().to_owned()
}

/// Design §5 "Heal": the store went back in time; the client goes on from where it is, and an event says so.
#[tokio::test]
async fn heal_after_failover() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let behind = client.copy();
    let before = generation(&site).await;
    client.put_cookie(CookieKind::Refresh, &from_the_future(&site).await);
    client.refresh().await.expect_status(200);
    assert_eq!(generation(&site).await, before + 6, "continued from what was presented");
    client.get("/auth/session").expect_status(200).await;
    assert_event(&site, EventName::Healed, "store_went_back").await;
    site.advance(MINUTE);
    behind.refresh().await.expect(401, "refresh_reused");
}

/// Design §5: Heal never revives a session that is known as revoked; and it can be switched off.
#[tokio::test]
async fn heal_has_limits() {
    let site = TestSite::production().start().await;
    let client = site.signed_in(ADA).await;
    let future = from_the_future(&site).await;
    let dead = client.copy();
    client.log_out().await.expect_status(204);
    dead.put_cookie(CookieKind::Refresh, &future);
    dead.refresh().await.expect(401, "session_revoked");

    let strict =
        TestSite::production().policy(|p| p.rotation.after_rollback = AfterRollback::Revoke).start().await;
    let client = strict.signed_in(ADA).await;
    let copy = client.copy();
    copy.put_cookie(CookieKind::Refresh, &from_the_future(&strict).await);
    copy.refresh().await.expect(401, "refresh_reused");
    client.get("/auth/session").expect(401, "session_revoked").await;
}
