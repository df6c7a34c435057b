//! GET `/auth/openapi.json`: what it says is what is answered.

use countersign_testkit::{PASSWORD, TestSite};
use serde_json::Value;

/// Every required member is there with its type, and nothing that the schema does not know.
fn fits(answer: &Value, schema: &Value, place: &str) {
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(answer), "{place}: {answer}");
    }
    match schema["type"].as_str() {
        Some("string") => assert!(answer.is_string(), "{place}: {answer}"),
        Some("boolean") => assert!(answer.is_boolean(), "{place}: {answer}"),
        Some("integer") => assert!(answer.is_i64(), "{place}: {answer}"),
        Some("object") if schema.get("properties").is_some() => {
            let (members, known) = (answer.as_object().unwrap(), &schema["properties"]);
            for name in schema["required"].as_array().unwrap() {
                assert!(members.contains_key(name.as_str().unwrap()), "{place}: {name} is missing");
            }
            for (name, value) in members {
                let of = known.get(name).unwrap_or_else(|| panic!("{place}: {name} is not described"));
                fits(value, of, &format!("{place}.{name}"));
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn answers_fit_their_schemas() {
    let site = TestSite::production().start().await;
    let document = site.client().get("/auth/openapi.json").expect_status(200).await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let schema = |name: &str| &document["components"]["schemas"][name];
    site.add_user("ada@example.com", &[]).await;
    let ada = site.client();
    fits(&ada.get("/auth/csrf").expect_status(200).await.json(), schema("Csrf"), "csrf");
    fits(&ada.get("/auth/session").expect(401, "token_missing").await.json(), schema("Problem"), "problem");
    fits(&ada.log_in("ada@example.com", "wrong").await.json(), schema("Problem"), "problem");
    fits(
        &ada.log_in("ada@example.com", PASSWORD).await.expect_status(200).json(),
        schema("Session"),
        "session",
    );
    fits(&ada.get("/auth/session").expect_status(200).await.json(), schema("Session"), "session");
    fits(&ada.get("/auth/sessions").expect_status(200).await.json(), schema("Sessions"), "sessions");
    site.add_user("verifier@example.com", &[]).await;
    let key = site.api_key("verifier@example.com", &["revocations:read"], &[]).await;
    let feed = site.client().get("/auth/revocations").bearer(&key).expect_status(200).await;
    fits(&feed.json(), schema("Revocations"), "revocations");
}
