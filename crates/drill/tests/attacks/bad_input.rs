//! Servers that are not there, never end, or are no application: a clear sentence, and what was seen is kept.

use std::time::Duration;

use countersign_drill::client::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::fake::{Fake, Style};
use crate::{attacks, drilled, setting};
use countersign_drill::runner::Silent;
use countersign_drill::{Account, Report, Scene, drill};

async fn against(url: &str, seconds: u64) -> Report {
    let mut setting = setting(url);
    setting.limits = Limits { answer: Duration::from_secs(seconds), ..Limits::default() };
    let scene = Scene::new(setting).unwrap();
    drill(&scene, &attacks(&["tls", "cookie-httponly"]), &Silent).await
}

/// Answers every request with these bytes, then holds the connection.
async fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                drop(stream.read(&mut buffer).await);
                drop(stream.write_all(bytes).await);
                tokio::time::sleep(Duration::from_secs(60)).await;
            });
        }
    });
    url
}

#[tokio::test]
async fn nobody_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let problem = against(&url, 2).await.problem.unwrap();
    assert!(problem.starts_with("cannot reach http://127.0.0.1"), "{problem}");
}

#[tokio::test]
async fn an_answer_that_never_ends() {
    let url =
        answering(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 1000\r\n\r\n<p>").await;
    let problem = against(&url, 1).await.problem.unwrap();
    assert!(problem.contains("did not end within 1 s"), "{problem}");
    let silent = answering(b"").await;
    let problem = against(&silent, 1).await.problem.unwrap();
    assert!(problem.contains("no answer within 1 s"), "{problem}");
    let noise = answering(b"220 mail.example ESMTP\r\n").await;
    let problem = against(&noise, 1).await.problem.unwrap();
    assert!(problem.contains("GET /"), "{problem}");
}

#[tokio::test]
async fn a_page_without_forms() {
    let url = answering(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 3\r\nconnection: close\r\n\r\n<p>",
    )
    .await;
    let report = against(&url, 2).await;
    let problem = report.problem.unwrap();
    assert!(problem.contains("profile"), "{problem}");
    assert_eq!(report.checks.len(), 2, "what needs no login was still tried");
}

#[tokio::test]
async fn a_wrong_password() {
    let fake = Fake::start(Style::Cookies, &[]).await;
    let report = drilled(&fake, &["tls"], |setting| {
        setting.accounts = vec![Account::parse("victim@example.test:not this one").unwrap()];
    })
    .await;
    let problem = report.problem.unwrap();
    assert!(problem.contains("POST /api/login → 401") && problem.contains("password"), "{problem}");
    assert!(!problem.contains("not this one"));
}
