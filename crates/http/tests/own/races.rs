//! P4, D04: revocation against opening and rotating, on the real engine.

use std::sync::Arc;

use countersign_core::domain::id::Sid;
use countersign_core::domain::token::refresh::RefreshToken;
use countersign_core::domain::user::{Email, User};
use countersign_core::service::{Context, Engine, Opened, Presentation, Target, Tokens};
use countersign_testkit::{PASSWORD, TestOutside, TestSite};

/// Together 10,000 a test; a fresh store now and then keeps its scans short.
const ROUNDS: usize = 1000;
const STORES: usize = 10;

type TestEngine = Arc<Engine<TestOutside>>;

async fn user(site: &TestSite) -> User {
    site.add_user("ada@example.com", &[]).await;
    let email = Email::parse("ada@example.com").unwrap();
    site.site.engine().find_user(&email).await.unwrap().unwrap()
}

fn refresh_of(tokens: &Tokens, engine: &TestEngine) -> RefreshToken {
    RefreshToken::parse(tokens.refresh.as_ref().unwrap().expose(), engine.environment()).unwrap()
}

/// Asserts that neither token of a pair opens anything.
async fn assert_dead(engine: &TestEngine, tokens: &Tokens) {
    let context = Context::default();
    assert!(engine.verify_access(tokens.access.expose(), &context).await.is_err(), "an access token lives");
    if tokens.refresh.is_some() {
        let again = engine.rotate(&refresh_of(tokens, engine), &Presentation::default()).await;
        assert!(again.is_err(), "a refresh token lives");
    }
}

async fn revoke(engine: &TestEngine, opened: &Opened, sid: Sid, how: usize) {
    let context = Context::default();
    let session = &opened.view.held.session;
    match how % 3 {
        0 => engine.log_out(sid, &context).await.unwrap(),
        1 => drop(engine.revoke(&Target::Session(session.public_id.clone()), &context).await.unwrap()),
        _ => drop(engine.revoke(&Target::User(session.user.clone()), &context).await.unwrap()),
    }
}

/// P4, D04: whatever a rotation that ran beside a revocation handed out is dead once the revocation has returned; so is what it
/// was given, and what either could be exchanged for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_d04_revoke_beside_rotate() {
    let (mut won, mut lost) = (0, 0);
    for _ in 0..STORES {
        let site = TestSite::production().start().await;
        let engine = Arc::clone(site.site.engine());
        for round in 0..ROUNDS {
            let fresh = if round == 0 { user(&site).await } else { reread(&engine).await };
            let opened = engine.open(&fresh, &["pwd"], None, &Context::default()).await.unwrap();
            let sid = opened.principal.claims().sid;
            let token = refresh_of(&opened.tokens, &engine);
            let rotating = tokio::spawn({
                let engine = Arc::clone(&engine);
                async move { engine.rotate(&token, &Presentation::default()).await }
            });
            if round % 2 == 0 {
                tokio::task::yield_now().await;
            }
            revoke(&engine, &opened, sid, round).await;
            // From here on nothing may be minted.
            let late = engine.rotate(&refresh_of(&opened.tokens, &engine), &Presentation::default()).await;
            assert!(late.is_err(), "minted after revoke returned");
            assert_dead(&engine, &opened.tokens).await;
            match rotating.await.unwrap() {
                Ok(rotated) => {
                    won += 1;
                    assert_dead(&engine, &rotated.tokens).await;
                }
                Err(_) => lost += 1,
            }
        }
    }
    assert!(won > 0 && lost > 0, "both orders were met: {won} rotations before, {lost} after the revocation");
}

async fn reread(engine: &TestEngine) -> User {
    engine.find_user(&Email::parse("ada@example.com").unwrap()).await.unwrap().unwrap()
}

/// P4: a login that had checked its password before all sessions were revoked does not outlive the revocation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_revoke_user_beside_open() {
    let (mut won, mut lost) = (0, 0);
    for _ in 0..STORES {
        let site = TestSite::production().start().await;
        let engine = Arc::clone(site.site.engine());
        let mut ada = user(&site).await;
        for round in 0..ROUNDS {
            let opening = tokio::spawn({
                let (engine, ada) = (Arc::clone(&engine), ada.clone());
                async move { engine.open(&ada, &["pwd"], None, &Context::default()).await }
            });
            if round % 2 == 0 {
                tokio::task::yield_now().await;
            }
            engine.revoke(&Target::User(ada.id.clone()), &Context::default()).await.unwrap();
            match opening.await.unwrap() {
                Ok(opened) => {
                    won += 1;
                    assert_dead(&engine, &opened.tokens).await;
                }
                Err(_) => lost += 1,
            }
            ada = reread(&engine).await;
        }
    }
    assert!(won > 0 && lost > 0, "both orders were met: {won} openings before, {lost} after the revocation");
}

/// P4, design §6: an epoch that rose between an opening's or a rotation's own write and the read behind it wins, though nothing has
/// told this node: the session is revoked and nothing is handed out.
#[tokio::test]
async fn p4_the_epoch_is_read_after_the_write() {
    let site = TestSite::production().start().await;
    let client = site.signed_in("ada@example.com").await;
    let other = site.client();
    other.csrf().await;
    site.outside.store.set_raced(true);
    client.refresh().await.expect(401, "session_revoked").sets_no_cookie();
    other.log_in("ada@example.com", PASSWORD).await.expect(401, "session_revoked").sets_no_cookie();
    site.outside.store.set_raced(false);
    client.refresh().await.expect(401, "session_revoked");
    client.get("/auth/session").expect(401, "session_revoked").await;
    other.log_in("ada@example.com", PASSWORD).await.expect_status(200);
}
