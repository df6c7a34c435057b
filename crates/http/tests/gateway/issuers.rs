//! Whose access tokens open a door, and what is said of the others: A04, A10, A19, A21, I06.

use std::collections::BTreeSet;
use std::time::Duration;

use countersign_core::domain::cookie::CookieKind;
use countersign_core::domain::signing_key::Algorithm;
use countersign_core::domain::token::jwk::VerifyingKey;
use countersign_core::domain::token::jws;
use countersign_core::domain::token::jws::KeySet;
use countersign_core::domain::token::trust::Issuers;
use countersign_core::port::{Outside, SignatureKeys, Signer};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::scene::Scene;

const MATRIX: &str = include_str!("../../../../docs/vectors/access-token-claims.json");
const KID: &str = "theirs";

/// When its keys can be had.
#[derive(Clone, Copy)]
enum When {
    Now,
    AtSecondLook,
    Never,
}

/// Another issuer, with the claims of the published matrix.
struct Other {
    signer: Box<dyn Signer>,
    matrix: Value,
}

impl Other {
    /// Trusted by a site whose present is the matrix's.
    async fn trusted_by(scene: &Scene) -> Self {
        Self::with_keys(scene, When::Now).await
    }

    async fn with_keys(scene: &Scene, when: When) -> Self {
        let matrix: Value = serde_json::from_str(MATRIX).unwrap();
        let keys = scene.site.outside.keys();
        let signer = keys.load(Algorithm::EdDsa, &keys.generate(Algorithm::EdDsa).unwrap()).unwrap();
        let public = VerifyingKey::new(Algorithm::EdDsa, signer.public()).unwrap();
        let (mut issuers, mut without) = (Issuers::default(), Issuers::default());
        let issuer = matrix["profile"]["issuer"].as_str().unwrap();
        assert!(issuers.trust(issuer, KeySet::from([(KID.into(), public)])));
        assert!(without.trust(issuer, KeySet::new()));
        match when {
            When::Now => scene.site.outside.issuers.trust(issuers),
            When::AtSecondLook => {
                scene.site.outside.issuers.trust(without);
                scene.site.outside.issuers.trust_at_second_look(issuers);
            }
            When::Never => scene.site.outside.issuers.trust(without),
        }
        let now = matrix["profile"]["now"].as_i64().unwrap();
        let wait = now - scene.site.site.engine().now().as_secs();
        scene.site.advance(Duration::from_secs(wait.try_into().unwrap()));
        scene.site.tick().await;
        Self { signer, matrix }
    }

    fn token(&self, claims: &str) -> String {
        let header = json!({"alg": "EdDSA", "kid": KID, "typ": "at+jwt"}).to_string();
        let input = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(header.as_bytes()),
            BASE64URL_NOPAD.encode(claims.as_bytes())
        );
        let signature = self.signer.sign(input.as_bytes()).unwrap();
        jws::assemble(input, &signature)
    }

    fn good(&self) -> String {
        self.token(&self.matrix["claims"].to_string())
    }

    /// The claims of a case as text: some values are no JSON.
    fn case(&self, case: &Value) -> String {
        let name = case["claim"].as_str().unwrap();
        let replaced = case["delete"] == true || case["json"].is_string();
        let kept = self.matrix["claims"].as_object().unwrap().iter();
        let mut members: Vec<String> = kept
            .filter(|(other, _)| !replaced || *other != name)
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        for text in [&case["json"], &case["duplicate"]].into_iter().filter_map(Value::as_str) {
            members.push(format!("\"{name}\":{text}"));
        }
        self.token(&format!("{{{}}}", members.join(",")))
    }
}

async fn exact_scene() -> Scene {
    Scene::with(|builder| {
        builder.policy(|policy| {
            policy.access.leeway = Duration::ZERO;
            policy.session.leeway = Duration::ZERO;
        })
    })
    .await
}

/// A04, A21: another issuer's user is let in as somebody else than ours of that name; nobody vouches for an address; and a
/// server behind us can verify the assertion, which is ours.
#[tokio::test]
async fn a04_a21_a_trusted_issuer() {
    let scene = exact_scene().await;
    let other = Other::trusted_by(&scene).await;
    let api = scene.site.client();
    api.get("/a").bearer(&other.good()).expect_status(200).await.sets_no_cookie();
    let seen = scene.upstream.last();
    let user = seen.header("x-auth-user").unwrap();
    assert_ne!(user, other.matrix["claims"]["sub"].as_str().unwrap());
    assert_eq!((seen.header("x-auth-email"), seen.header("authorization")), (None, None));
    assert_eq!(seen.header("x-auth-scopes").as_deref(), Some("read write"));
    let session = seen.header("x-auth-session").unwrap();
    assert!(!session.contains(other.matrix["claims"]["sid"].as_str().unwrap()));
    let assertion = seen.header("countersign-assertion").unwrap();
    let claims = BASE64URL_NOPAD.decode(assertion.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(
        (claims["sub"].as_str(), claims["session"].as_str()),
        (Some(user.as_str()), Some(session.as_str()))
    );
    assert_ne!(claims["iss"], other.matrix["profile"]["issuer"]);
    // Scopes count as anybody's; what asks for more is refused.
    api.get("/admin/a").bearer(&other.good()).expect(403, "insufficient_scope").await;
}

/// A04: not in a cookie, not at our own end points, and not once it is trusted no more.
#[tokio::test]
async fn a04_where_a_trusted_issuer_counts_for_nothing() {
    let scene = exact_scene().await;
    let other = Other::trusted_by(&scene).await;
    let api = scene.site.client();
    api.get("/auth/session").bearer(&other.good()).expect(401, "token_invalid").await;
    let browser = scene.site.client();
    browser.put_cookie(CookieKind::Access, &other.good());
    browser.get("/a").expect(401, "token_invalid").await;
    assert_eq!(scene.arrived(), 0);
    api.get("/a").bearer(&other.good()).expect_status(200).await;
    scene.site.outside.issuers.trust(Issuers::default());
    api.get("/a").bearer(&other.good()).expect(401, "token_invalid").await;
}

/// H08: a key that nobody has yet is looked for once more before its token is refused; with tokens of ours, or of nobody, it is not.
#[tokio::test]
async fn h08_an_unknown_key_is_looked_for() {
    let scene = exact_scene().await;
    let other = Other::with_keys(&scene, When::AtSecondLook).await;
    let (api, looked) = (scene.site.client(), &scene.site.outside.issuers);
    let stranger = other.case(&json!({ "claim": "iss", "json": "\"https://evil.example.com\"" }));
    api.get("/a").bearer(&stranger).expect(401, "token_invalid").await;
    let browser = scene.browser().await;
    api.get("/a").bearer(&browser.cookie(CookieKind::Access).unwrap()).expect_status(200).await;
    assert_eq!(looked.looked(), 0);
    api.get("/a").bearer(&other.good()).expect_status(200).await;
    api.get("/a").bearer(&other.good()).expect_status(200).await;
    assert_eq!(looked.looked(), 1);
    // With another key of that name it is judged by its signature, and that is the end of it.
    let mut forged = other.good();
    forged.truncate(forged.len() - 4);
    api.get("/a").bearer(&(forged + "AAAA")).expect(401, "token_invalid").await;
    assert_eq!(looked.looked(), 1);
}

/// K11: while an issuer's keys cannot be had its tokens are neither let through nor called invalid.
#[tokio::test]
async fn k11_an_issuer_without_keys() {
    let scene = exact_scene().await;
    let other = Other::with_keys(&scene, When::Never).await;
    let api = scene.site.client();
    api.get("/a").bearer(&other.good()).expect(503, "store_unavailable").await;
    api.get("/a")
        .bearer(&other.case(&json!({ "claim": "iss", "delete": true })))
        .expect(401, "token_invalid")
        .await;
    assert_eq!(scene.arrived(), 0);
}

/// I06, A10: the whole published matrix at the door: the listed code outside, the exact reason inside.
#[tokio::test]
async fn i06_a10_each_refusal_has_its_code_and_its_reason() {
    let scene = exact_scene().await;
    let other = Other::trusted_by(&scene).await;
    let api = scene.site.client();
    let mut reasons = BTreeSet::new();
    for case in other.matrix["cases"].as_array().unwrap() {
        let answer = api.get("/a").bearer(&other.case(case)).send().await;
        let found = if answer.status() == 200 { String::from("valid") } else { answer.code() };
        let wanted = case["code"].as_str().unwrap_or("valid");
        assert_eq!(found, wanted, "{case}");
        // An expired token is everyday life, and another environment's has its own event.
        if let Some(reason) =
            case["reason"].as_str().filter(|r| !matches!(*r, "token_expired" | "token_environment"))
        {
            reasons.insert(reason.to_owned());
        }
    }
    let events = scene.site.events().await;
    for reason in reasons {
        assert!(events.iter().any(|event| *event.reason == *reason), "no event says {reason}");
    }
}

/// A19: revoked by the session's id. An ECDSA signature has a mirror image, s' = n - s, that anybody can make: another
/// string, and the same dead session.
#[tokio::test]
async fn a19_another_spelling_of_a_revoked_token() {
    let scene = Scene::with(|builder| builder.policy(|policy| policy.algorithm = Algorithm::Es256)).await;
    let browser = scene.browser().await;
    let access = browser.cookie(CookieKind::Access).unwrap();
    let twin = mirrored(&access);
    assert_ne!(access, twin);
    let api = scene.site.client();
    api.get("/a").bearer(&access).expect_status(200).await;
    api.get("/a").bearer(&twin).expect_status(200).await;
    browser.log_out().await.expect_status(204);
    for spelling in [&access, &twin] {
        api.get("/a").bearer(spelling).expect(401, "session_revoked").await;
    }
}

fn mirrored(token: &str) -> String {
    const ORDER: &[u8] = b"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order = data_encoding::HEXLOWER.decode(ORDER).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    let mut borrow = 0i16;
    for (byte, order) in signature[32..].iter_mut().zip(&order).rev() {
        let difference = i16::from(*order) - i16::from(*byte) - borrow;
        borrow = i16::from(difference < 0);
        *byte = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}
