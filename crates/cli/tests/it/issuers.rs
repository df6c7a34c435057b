//! `[[issuer]]`: the keys of another deployment, by its address.

use crate::place::{PLAIN, Place, until};

fn second(first: &str) -> String {
    format!(
        "{PLAIN}[[issuer]]\nissuer = \"https://login.example.com\"\njwks_url = \"http://{first}/.well-known/jwks.json\"\n"
    )
}

/// H08, H09: what a node of ours publishes, another one takes; `check` and readiness say how it stands.
#[test]
fn h08_keys_of_another_deployment() {
    let (one, two) = (Place::new(PLAIN), Place::empty());
    let first = one.serve();
    let address = first.ready()["listen"][0].as_str().unwrap().to_owned();
    std::fs::write(two.path("countersign.toml"), second(&address)).unwrap();
    let checked = two.run(&["check", "--json"]).json();
    assert!(!checked.to_string().contains("jwks_url"), "{checked}");
    let server = two.serve();
    until("the keys", || (server.admin().get("/readyz").body == "ready\n").then_some(()));
    drop(server);

    // It went away: that is worth a word, and no reason not to serve.
    first.stop();
    let checked = two.run(&["check", "--json"]).json();
    let about: Vec<_> =
        checked["findings"].as_array().unwrap().iter().filter(|f| f["key"] == "issuer.jwks_url").collect();
    assert!(about.len() == 1 && about[0]["level"] == "warning", "{checked}");
    let server = two.serve();
    let said = until("a word about the issuer", || {
        let said = server.admin().get("/readyz");
        said.body.contains("warning").then_some(said)
    });
    assert!(said.status == 200 && said.body.contains("https://login.example.com"), "{}", said.body);
}
