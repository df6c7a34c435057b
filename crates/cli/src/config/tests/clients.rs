//! Clients, and applications that open sessions.

use super::{DEVELOPMENT, HARDENED, about, faults, readable};
use crate::config::ClientTransport;
use crate::config::Level::{Note, Warning};

fn with_clients(clients: &str) -> String {
    format!("{HARDENED}\n{clients}\n")
}

#[test]
fn a_client_as_written() {
    let file = with_clients(
        "[[client]]\nid = \"web\"\ntransport = \"memory\"\n\
         [[client]]\nid = \"com.example.ios\"\ntransport = \"body\"\naudience = [\"app\"]\nscope = [\"read\", \"write\"]",
    );
    let checked = readable(&file, &[]);
    let warned = ["client[web].transport", "client[com.example.ios].transport"];
    for key in warned {
        assert_eq!(about(&checked, key)[0].level, Warning, "{key}");
    }
    let (settings, _) = checked.start().unwrap();
    let [web, ios] = &settings.clients[..] else { panic!("{:?}", settings.clients) };
    assert_eq!((web.id.as_str(), web.transport), ("web", ClientTransport::Memory));
    assert_eq!((&web.audience, &web.scope), (&None, &None));
    assert_eq!((ios.id.as_str(), ios.transport), ("com.example.ios", ClientTransport::Body));
    assert_eq!(ios.audience.as_deref(), Some(&["app".to_owned()][..]));
    assert_eq!(ios.scope.as_ref().unwrap().len(), 2);
}

/// D07: a client's tokens are never good for more than all others.
#[test]
fn d07_what_a_client_may_not_be() {
    for (client, key) in [
        ("transport = \"body\"", "client[#1].id"),
        ("id = \"a\"", "client[a].transport"),
        ("id = \"countersign\"\ntransport = \"body\"", "client[countersign].id"),
        ("id = \"a b\"\ntransport = \"body\"", "client[a b].id"),
        ("id = \"a\"\ntransport = \"cookie\"", "client[a].transport"),
        ("id = \"a\"\ntransport = \"body\"\naudience = []", "client[a].audience"),
        ("id = \"a\"\ntransport = \"body\"\naudience = [\"app\", \"other\"]", "client[a].audience"),
        ("id = \"a\"\ntransport = \"body\"\nscope = [\"a b\"]", "client[a].scope"),
        ("id = \"a\"\ntransport = \"body\"\n[[client]]\nid = \"a\"\ntransport = \"memory\"", "client[a].id"),
    ] {
        let found = faults(&with_clients(&format!("[[client]]\n{client}")), &[]);
        assert_eq!(found, [key], "{client}");
    }
}

#[test]
fn applications_that_open_sessions() {
    let open = readable(DEVELOPMENT, &[]);
    let settings = open.start().unwrap().0.open_sessions;
    assert!(settings.issuers.is_empty() && !settings.create_users && settings.scope.is_none());
    let found = faults(DEVELOPMENT, &[("open_sessions.create_users", "true")]);
    assert_eq!(found, ["open_sessions.create_users"]);
    let all = "[open_sessions]\nissuers = [\"https://login.example.com\"]\ncreate_users = true\n";
    let checked = readable(&with_clients(all), &[]);
    assert_eq!(about(&checked, "open_sessions.scope")[0].level, Note);
    let checked = readable(&with_clients(&format!("{all}scope = []")), &[]);
    assert!(about(&checked, "open_sessions.scope").is_empty());
    assert_eq!(checked.start().unwrap().0.open_sessions.scope.as_deref(), Some(&[][..]));
    let found = faults(&with_clients("[open_sessions]\nissuers = [\"\"]"), &[]);
    assert_eq!(found, ["open_sessions.issuers"]);
}
