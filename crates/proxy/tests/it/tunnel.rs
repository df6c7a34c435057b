//! WebSockets and other upgraded connections.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use countersign_proxy::{Live, StopReason, Upstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::harness::{Gateway, Scripted, read_head, read_rest, soon};
use crate::streaming::Session;

const HANDSHAKE: &str = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                      Sec-WebSocket-Accept: y\r\n\r\n";

/// An upstream that switches, says hello in the same packet, and then echoes until the end of its input.
async fn echoing(switch: String) -> Scripted {
    Scripted::start(move |_, mut stream| {
        let switch = switch.clone();
        async move {
            let head = read_head(&mut stream).await.to_lowercase();
            assert!(head.contains("\r\nconnection: upgrade\r\n") && head.contains("\r\nupgrade: "), "{head}");
            stream.write_all(switch.as_bytes()).await.unwrap();
            let mut buffer = [0; 1024];
            loop {
                match stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => stream.write_all(&buffer[..read]).await.unwrap(),
                }
            }
            let _late = stream.write_all(b"bye").await;
        }
    })
    .await
}

async fn open(gateway: &Gateway) -> TcpStream {
    let mut client = gateway.send(HANDSHAKE).await;
    let head = soon(read_head(&mut client)).await.to_lowercase();
    assert!(head.starts_with("http/1.1 101") && head.contains("\r\nupgrade: websocket\r\n"), "{head}");
    assert!(
        head.contains("\r\nconnection: upgrade\r\n") && head.contains("\r\nsec-websocket-accept: y\r\n"),
        "{head}"
    );
    client
}

async fn echo(client: &mut TcpStream, bytes: &[u8]) {
    client.write_all(bytes).await.unwrap();
    let mut back = vec![0; bytes.len()];
    soon(client.read_exact(&mut back)).await.unwrap();
    assert_eq!(back, bytes);
}

/// Bytes that came with the 101 are not lost, lines that would be no HTTP pass, and half-close passes
/// through.
#[tokio::test]
async fn tunnels_carry_bytes_both_ways_and_half_close() {
    let gateway = Gateway::start(echoing(format!("{SWITCH}hello")).await.upstream()).await;
    let mut client = open(&gateway).await;
    let mut hello = [0; 5];
    soon(client.read_exact(&mut hello)).await.unwrap();
    assert_eq!(&hello, b"hello");
    echo(&mut client, b"\n\nGET / HTTP/1.1\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n").await;
    client.shutdown().await.unwrap();
    assert_eq!(soon(read_rest(&mut client)).await, "bye", "after our half was closed");
}

/// The other half: what the client still sends reaches an upstream that has said its last word.
#[tokio::test]
async fn upstreams_may_close_their_half_first() {
    let (sender, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let scripted = Scripted::start(move |_, mut stream| {
        let sender = sender.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(SWITCH.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            sender.send(read_rest(&mut stream).await).unwrap();
        }
    })
    .await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let mut client = open(&gateway).await;
    assert_eq!(soon(read_rest(&mut client)).await, "");
    client.write_all(b"last words").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(soon(heard.recv()).await.unwrap(), "last words");
}

/// A tunnel of which half is closed does not stay for ever if the other half is silent.
#[tokio::test]
async fn half_open_tunnels_end_when_silent() {
    let scripted = Scripted::start(|_, mut stream| async move {
        read_head(&mut stream).await;
        stream.write_all(SWITCH.as_bytes()).await.unwrap();
        sleep(Duration::from_secs(60)).await;
    })
    .await;
    let mut config = scripted.config();
    config.timeouts.between_bytes = Some(Duration::from_millis(50));
    let gateway = Gateway::start(Upstream::new(config)).await;
    let mut client = open(&gateway).await;
    sleep(Duration::from_millis(200)).await;
    client.write_all(b"still open, though silent for long").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(soon(read_rest(&mut client)).await, "");
}

/// K10: revocation closes a WebSocket with 1008, a shutdown with 1012; inbound bytes are reported.
#[tokio::test]
async fn k10_websockets_are_closed_with_their_session() {
    for (reason, code) in [(StopReason::Revoked, [0x03, 0xf0]), (StopReason::Shutdown, [0x03, 0xf4])] {
        let session = Session::new();
        let live: Arc<dyn Live> = Arc::clone(&session) as _;
        let gateway = Gateway::with_live(echoing(SWITCH.to_owned()).await.upstream(), Some(live)).await;
        let mut client = open(&gateway).await;
        assert_eq!(session.inbound.load(Ordering::SeqCst), 0);
        echo(&mut client, &[0x82, 3, b'a', b'b', b'c']).await;
        assert_eq!(session.inbound.load(Ordering::SeqCst), 1);
        session.end(reason);
        let mut rest = Vec::new();
        soon(client.read_to_end(&mut rest)).await.unwrap();
        assert_eq!(rest, [0x88, 2, code[0], code[1]], "{reason:?}");
    }
}

/// K10: in the middle of a frame, or in another protocol, a close frame would be data: the connection just
/// ends.
#[tokio::test]
async fn k10_nothing_is_written_into_a_frame_or_another_protocol() {
    for other in [false, true] {
        let session = Session::new();
        let live: Arc<dyn Live> = Arc::clone(&session) as _;
        let (handshake, switch) = if other {
            (HANDSHAKE.replace("websocket", "tcp"), SWITCH.replace("websocket", "tcp"))
        } else {
            (HANDSHAKE.to_owned(), SWITCH.to_owned())
        };
        let gateway = Gateway::with_live(echoing(switch).await.upstream(), Some(live)).await;
        let mut client = gateway.send(&handshake).await;
        soon(read_head(&mut client)).await;
        let sent: &[u8] = if other { b"\x82\x01a" } else { &[0x82, 5, b'a', b'b'] };
        echo(&mut client, sent).await;
        session.end(StopReason::Revoked);
        assert_eq!(soon(read_rest(&mut client)).await, "");
    }
}

/// K10: the upstream's side is closed too.
#[tokio::test]
async fn k10_a_stopped_tunnel_is_closed_on_both_sides() {
    let (sender, mut gone) = tokio::sync::mpsc::unbounded_channel();
    let scripted = Scripted::start(move |_, mut stream| {
        let sender = sender.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(SWITCH.as_bytes()).await.unwrap();
            read_rest(&mut stream).await;
            sender.send(()).unwrap();
        }
    })
    .await;
    let session = Session::new();
    let live: Arc<dyn Live> = Arc::clone(&session) as _;
    let gateway = Gateway::with_live(scripted.upstream(), Some(live)).await;
    let _client = open(&gateway).await;
    session.end(StopReason::Revoked);
    soon(gone.recv()).await.unwrap();
}

/// An upstream that declines answers like any other.
#[tokio::test]
async fn declined_upgrades_are_ordinary_answers() {
    let scripted = Scripted::always("HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno").await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let answer = gateway.exchange(&HANDSHAKE.replace("keep-alive, Upgrade", "close, Upgrade")).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.ends_with("no"), "{answer}");
}

/// An upstream cannot switch to what nobody offered.
#[tokio::test]
async fn switches_to_another_protocol_are_refused() {
    for switch in [SWITCH.replace("websocket", "tcp"), SWITCH.replace("Upgrade: websocket\r\n", "")] {
        let gateway = Gateway::start(echoing(switch).await.upstream()).await;
        let answer = gateway.exchange(&HANDSHAKE.replace("keep-alive, Upgrade", "close, Upgrade")).await;
        assert!(answer.starts_with("HTTP/1.1 502") && answer.ends_with("BrokenUpstream"), "{answer}");
    }
}

/// `h2c` would open a tunnel for requests that nobody looks at: the upstream never hears of the offer.
#[tokio::test]
async fn h2c_is_not_offered_to_upstreams() {
    let scripted = Scripted::start(|_, mut stream| async move {
        let head = read_head(&mut stream).await.to_lowercase();
        assert!(!head.contains("upgrade") && !head.contains("http2-settings"), "{head}");
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    })
    .await;
    let gateway = Gateway::start(scripted.upstream()).await;
    let answer = gateway
        .exchange(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
             HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n",
        )
        .await;
    assert!(answer.ends_with("ok"), "{answer}");
}

/// A tunnel counts against the cap, and no longer than it lives.
#[tokio::test]
async fn tunnels_count_against_the_cap() {
    let mut config = echoing(SWITCH.to_owned()).await.config();
    config.limits.connections = 1;
    config.limits.queue_timeout = Duration::from_millis(50);
    let gateway = Gateway::start(Upstream::new(config)).await;
    let client = open(&gateway).await;
    let refused = HANDSHAKE.replace("keep-alive, Upgrade", "close, Upgrade");
    assert!(gateway.exchange(&refused).await.starts_with("HTTP/1.1 503"));
    drop(client);
    sleep(Duration::from_millis(50)).await;
    open(&gateway).await;
}
