//! Starting and stopping.

use crate::place::{PLAIN, Place, until};
use rustix::process::Signal;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

#[test]
fn a_server_says_where_it_answers() {
    let place = Place::new(PLAIN);
    let server = place.serve();
    let ready = server.ready();
    assert_eq!(ready["ready"], true);
    assert_eq!(ready["public_url"], "http://localhost:18080");
    assert!(ready["master_key_created"].as_str().unwrap().ends_with("master.key"));
    assert!(!ready["listen"][0].as_str().unwrap().ends_with(":0"));
    assert_eq!(server.admin().get("/readyz").status, 200);
    assert_eq!(server.browser().get("/readyz").status, 404, "K06: health has its own listener");
    assert_eq!(server.stop(), Some(0));
    assert!(place.serve().ready()["master_key_created"].is_null(), "made once");
}

/// SIGTERM: what runs may finish, then the process ends with 0 and leaves no socket behind.
#[test]
fn sigterm_lets_requests_finish() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let (arrived, arrival) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = upstream.accept().unwrap();
        let mut head = [0; 4096];
        let read = stream.read(&mut head).unwrap();
        assert!(read > 0);
        arrived.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(700));
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nslow").unwrap();
    });
    let place = Place::new(&format!(
        "{PLAIN}[[upstream]]\nname = \"app\"\nurl = \"{url}\"\n[[route]]\npath = \"/*\"\nauth = \"none\"\n"
    ));
    let mut server = place.serve();
    assert!(place.path("admin.sock").exists());
    let mut browser = server.browser();
    let asking = std::thread::spawn(move || browser.get("/slow"));
    arrival.recv_timeout(Duration::from_secs(10)).unwrap();
    server.signal(Signal::TERM);
    let answer = asking.join().unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "slow"));
    assert_eq!(server.ended(), Some(0));
    assert!(!place.path("admin.sock").exists());
}

/// In a hardened environment a balancer gets time to look away: not ready, but still serving.
#[test]
fn sigterm_says_not_ready_first() {
    let place = Place::new(&format!("{PLAIN}[limits]\nunready = \"1500ms\"\n"));
    let mut server = place.serve();
    server.signal(Signal::TERM);
    until("the server to say that it is not ready", || {
        (server.admin().get("/readyz").status == 503).then_some(())
    });
    assert_eq!(server.browser().get("/auth/session").status, 401, "requests are answered meanwhile");
    assert_eq!(server.ended(), Some(0));
}
