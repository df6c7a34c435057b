//! `user invite`.

use crate::place::{ORIGIN, PASSWORD, PLAIN, Place};
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

fn place(more: &str) -> Place {
    Place::new(&format!("{PLAIN}\n[accounts]\nsignup = \"invite\"\n{more}"))
}

/// What follows the site's own address, up to the end of the line.
fn path(text: &str) -> &str {
    text.split(ORIGIN)
        .find(|part| part.starts_with("/auth/signup?invitation="))
        .unwrap()
        .lines()
        .next()
        .unwrap()
}

/// Design §9: without mail the operator hands the link over; it makes one account, with the scopes that were granted.
#[test]
fn without_mail_the_operator_gets_the_link() {
    let place = place("");
    let server = place.serve();
    let invite = ["user", "invite", "Ada@example.com", "--scope", "notes:read", "--scope", "admin"];
    let invitation = place.run(&[&invite[..], &["--json"]].concat()).json()["invitation"].clone();
    assert_eq!(invitation["email"], "ada@example.com");
    assert_eq!(invitation["scope"], json!(["admin", "notes:read"]));
    assert_eq!(invitation["mailed"], false);
    assert!(invitation["expires_at"].as_str().unwrap().ends_with('Z'));
    let link = path(invitation["link"].as_str().unwrap()).to_owned();
    let code = link.split('=').nth(1).unwrap();

    let mut browser = server.browser();
    assert_eq!(browser.open("/auth/signup").status, 403);
    let page = browser.open(&link);
    assert!(page.status == 200 && page.body.contains(code), "{}", page.head);
    let mut body = json!({ "email": "eve@example.com", "password": PASSWORD, "invitation": code });
    assert_eq!(browser.post("/auth/signup", &body).code(), "signup_closed");
    body["email"] = "ada@example.com".into();
    assert_eq!(browser.post("/auth/signup", &body).status, 201);
    assert_eq!(server.browser().post("/auth/signup", &body).code(), "signup_closed", "it works once");
    let users = place.run(&["user", "list", "--json"]).json();
    assert_eq!(users["users"][0]["scope"], json!(["admin", "notes:read"]));
    assert_eq!(users["users"].as_array().unwrap().len(), 1);

    place.run(&invite).refused(&["already", "user password"]);
    let told = place.run(&["user", "invite", "bob@example.com"]).fine();
    assert!(told.contains("hand this link over") && told.contains("bob@example.com"), "{told}");
    assert_eq!(server.browser().open(path(&told)).status, 200);
    let events = place.run(&["events", "--json"]).fine();
    assert!(events.contains("invited") && events.contains("by_invitation"), "{events}");
    assert!(!events.contains(code), "{events}");
}

/// With mail the link is in the mail alone: not on the screen, and not in the log (I01). No server has to run.
#[test]
fn i01_with_mail_the_link_is_in_the_mail_alone() {
    let place = place("[mail]\ndirectory = \"outbox\"\nfrom = \"app@example.com\"");
    place.run(&["migrate"]).fine();
    let ran = place.run(&["user", "invite", "ada@example.com", "--log-level", "trace"]);
    let mails: Vec<_> =
        fs::read_dir(place.path("outbox")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(mails.len(), 1, "{ran:?}");
    let mail = fs::read_to_string(&mails[0]).unwrap();
    assert!(mail.contains("To: ada@example.com"), "{mail}");
    // Quoted-printable (RFC 2045 §6.7).
    let mail = mail.replace("=\r\n", "").replace("=3D", "=");
    let link = path(&mail);
    let code = link.split('=').nth(1).unwrap().trim_end();
    assert_eq!(code.len(), 43, "{mail}");
    assert!(!ran.out.contains(code) && !ran.err.contains(code), "{ran:?}");
    assert!(ran.err.contains("invited"), "the log was on: {}", ran.err);
    assert!(ran.fine().contains("ada@example.com is invited by mail"));
    let server = place.serve();
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "invitation": code });
    assert_eq!(server.browser().post("/auth/signup", &body).status, 201);
}

#[test]
fn invitations_that_lead_nowhere_are_refused() {
    let open = Place::new(PLAIN);
    open.run(&["migrate"]).fine();
    open.run(&["user", "invite", "ada@example.com"]).refused(&["accounts.signup = \"invite\"", "user add"]);
    let place = place("");
    place.run(&["migrate"]).fine();
    place.run(&["user", "invite", "ada"]).refused(&["\"ada\"", "e-mail"]);
    place
        .run(&["user", "invite", "ada@example.com", "--scope", "two words"])
        .refused(&["two words", "scope"]);
}

/// A mail server for one message (RFC 5321): its port, and what it was given.
fn mail_server() -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, mail) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
        let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes()).unwrap();
        // Slower than everything else that the command does.
        std::thread::sleep(Duration::from_millis(500));
        say("220 localhost");
        while let Some(line) = lines.next() {
            if line != "DATA" {
                say("250 localhost");
                continue;
            }
            say("354 go on");
            let text: Vec<_> = lines.by_ref().take_while(|line| line != ".").collect();
            sender.send(text.join("\r\n")).unwrap();
            say("250 accepted");
        }
    });
    (port, mail)
}

/// The command does not end before the mail has left.
#[test]
fn the_mail_leaves_before_the_command_ends() {
    let (port, mail) = mail_server();
    let place = place(&format!("[mail]\nsmtp = \"smtp://localhost:{port}\"\nfrom = \"app@example.com\""));
    place.run(&["migrate"]).fine();
    place.run(&["user", "invite", "ada@example.com"]).fine();
    let mail = mail.recv_timeout(Duration::from_secs(5)).unwrap();
    assert!(mail.contains("To: ada@example.com") && mail.contains("/auth/signup?invitation="), "{mail}");
}
