//! Just enough of RFC 6455 to echo frames.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use bytes::Bytes;
use data_encoding::BASE64;
use http::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::answer::Body;

/// Accepts the upgrade, and echoes until a close frame or the end of the connection.
pub(super) fn upgrade(mut request: Request<Incoming>) -> Response<Body> {
    let mut answer = Response::new(Full::new(Bytes::new()).boxed_unsync());
    let Some(key) = request.headers().get(SEC_WEBSOCKET_KEY) else {
        *answer.status_mut() = StatusCode::BAD_REQUEST;
        return answer;
    };
    let input = [key.as_bytes(), b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat();
    let accept = BASE64.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &input).as_ref());
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Ok(upgraded) = upgraded.await {
            // The other side may go away at any time.
            drop(echo(TokioIo::new(upgraded)).await);
        }
    });
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, HeaderValue::try_from(accept).expect("base64"));
    answer
}

/// Frames of a client are masked, those of a server are not (RFC 6455 §5.1).
async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    loop {
        let [first, second] = read::<2>(&mut stream).await?;
        let length = match second & 0x7f {
            126 => usize::from(u16::from_be_bytes(read(&mut stream).await?)),
            127 => usize::try_from(u64::from_be_bytes(read(&mut stream).await?)).unwrap_or(usize::MAX),
            short => usize::from(short),
        };
        let mask: [u8; 4] = read(&mut stream).await?;
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await?;
        for (byte, key) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= key;
        }
        let mut frame = vec![first];
        match u16::try_from(length) {
            Ok(short @ 0..=125) => frame.push(u8::try_from(short).unwrap_or(0)),
            Ok(medium) => {
                frame.push(126);
                frame.extend_from_slice(&medium.to_be_bytes());
            }
            Err(_longer) => {
                frame.push(127);
                frame.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        frame.append(&mut payload);
        stream.write_all(&frame).await?;
        if first & 0x0f == 0x8 {
            return stream.shutdown().await;
        }
    }
}

async fn read<const N: usize>(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}
