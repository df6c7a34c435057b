//! Against a small server that speaks as much SMTP as it needs.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::Transport;
use super::super::compose::tests::{mail, sender};
use super::*;
use countersign_core::port::Mailer;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const QUICK: [Duration; 4] = [Duration::from_millis(20); 4];

/// Answers RCPT with the replies given, then with 250; passes on what follows DATA.
struct Server {
    port: u16,
    received: mpsc::UnboundedReceiver<String>,
    attempts: Arc<AtomicUsize>,
}

async fn server(replies: &'static [&'static str]) -> Server {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, received) = mpsc::unbounded_channel();
    let attempts = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&attempts);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let attempt = counter.fetch_add(1, Ordering::SeqCst);
            let reply = replies.get(attempt).copied().unwrap_or("250 ok");
            tokio::spawn(converse(stream, reply, sender.clone()));
        }
    });
    Server { port, received, attempts }
}

async fn converse(stream: TcpStream, reply: &str, sender: mpsc::UnboundedSender<String>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 test\r\n").await.ok()?;
    let (mut line, mut data) = (String::new(), None::<String>);
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if let Some(text) = &mut data {
            if line == ".\r\n" {
                sender.send(data.take()?).ok()?;
                stream.write_all(b"250 queued\r\n").await.ok()?;
            } else {
                text.push_str(&line);
            }
            continue;
        }
        let answer = match line.get(..4)? {
            "RCPT" => format!("{reply}\r\n"),
            "DATA" => {
                data = Some(String::new());
                "354 go on\r\n".into()
            }
            "QUIT" => "221 bye\r\n".into(),
            _ => "250 ok\r\n".into(),
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

fn transport(port: u16, security: SmtpSecurity) -> Transport {
    let config = SmtpConfig { host: "127.0.0.1".into(), port, security, credentials: None, from: sender() };
    Transport::Smtp(Smtp::with_back_off(&config, QUICK).unwrap())
}

#[tokio::test]
async fn mail_arrives() {
    let mut server = server(&[]).await;
    let transport = transport(server.port, SmtpSecurity::LoopbackPlain);
    transport.send(mail("the link")).await.unwrap();
    assert!(transport.drain(Duration::from_secs(10)).await);
    let text = server.received.recv().await.unwrap();
    assert!(text.contains("the link") && text.contains("To: ada@example.com"), "{text}");
}

#[tokio::test]
async fn a_temporary_refusal_is_tried_again() {
    let mut server = server(&["451 come back later", "421 busy"]).await;
    let transport = transport(server.port, SmtpSecurity::LoopbackPlain);
    transport.send(mail("the link")).await.unwrap();
    assert!(transport.drain(Duration::from_secs(10)).await);
    assert!(server.received.recv().await.unwrap().contains("the link"));
    assert_eq!(server.attempts.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_permanent_refusal_is_not() {
    let mut server = server(&["550 no such user"]).await;
    let transport = transport(server.port, SmtpSecurity::LoopbackPlain);
    transport.send(mail("the link")).await.unwrap();
    assert!(transport.drain(Duration::from_secs(10)).await);
    assert_eq!(server.attempts.load(Ordering::SeqCst), 1);
    assert!(server.received.try_recv().is_err());
}

/// A server that offers no STARTTLS, or somebody in between who strips it, gets no mail.
#[tokio::test]
async fn without_starttls_nothing_is_sent() {
    let mut server = server(&[]).await;
    let transport = transport(server.port, SmtpSecurity::StartTls);
    transport.send(mail("the link")).await.unwrap();
    assert!(transport.drain(Duration::from_secs(10)).await);
    assert!(server.attempts.load(Ordering::SeqCst) >= 1);
    assert!(server.received.try_recv().is_err());
}

/// A server that never answers must not make messages pile up without limit.
#[tokio::test]
async fn the_queue_is_bounded() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let transport = transport(listener.local_addr().unwrap().port(), SmtpSecurity::LoopbackPlain);
    for _ in 0..QUEUE {
        transport.send(mail("x")).await.unwrap();
    }
    assert!(matches!(transport.send(mail("x")).await, Err(MailError::Transport(_))));
    assert!(!transport.drain(Duration::from_millis(20)).await);
}
