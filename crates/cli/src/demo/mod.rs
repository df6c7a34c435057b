//! The demonstration application: an ordinary little upstream. It knows nothing of Countersign but the headers that
//! every application behind it may read.

mod page;

use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;

type Body = http_body_util::Full<hyper::body::Bytes>;

/// Nothing inline and nothing foreign; script may not write markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const BREATH: Duration = Duration::from_millis(100);

/// It runs until the runtime ends.
#[derive(Debug)]
pub(crate) struct Demo {
    address: SocketAddr,
}

impl Demo {
    /// Starts it on a free loopback port.
    ///
    /// # Errors
    /// If the system gives no port.
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(accept(listener));
        Ok(Self { address })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn accept(listener: TcpListener) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the demonstration application cannot accept");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        tokio::spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the demonstration application ended");
            }
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    Ok(respond(&request))
}

fn respond<B>(request: &Request<B>) -> Response<Body> {
    let (status, kind, text) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/") => {
            (StatusCode::OK, "text/html; charset=utf-8", page::page(request.headers()))
        }
        (&Method::GET | &Method::HEAD, "/demo.css") => {
            (StatusCode::OK, "text/css; charset=utf-8", include_str!("demo.css").to_owned())
        }
        (&Method::GET | &Method::HEAD, "/demo.js") => {
            (StatusCode::OK, "text/javascript; charset=utf-8", include_str!("demo.js").to_owned())
        }
        (&Method::GET | &Method::HEAD, "/mark.svg" | "/favicon.ico") => {
            (StatusCode::OK, "image/svg+xml", include_str!("mark.svg").to_owned())
        }
        (_, path) => {
            let text = page::missing(path);
            (StatusCode::NOT_FOUND, "text/html; charset=utf-8", text)
        }
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    async fn body(request: Request<()>) -> (StatusCode, String) {
        let response = respond(&request);
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn it_shows_who_is_there_and_what_came() {
        let claims = "eyJzdWIiOiJ1MSIsImVtYWlsIjoiYWRhQGV4YW1wbGUuY29tIiwicHVycG9zZSI6ImFzc2VydGlvbiJ9";
        let request = Request::builder()
            .uri("/")
            .header("x-auth-user", "u1")
            .header("x-auth-email", "ada@example.com")
            .header("countersign-assertion", format!("eyJhbGciOiJFZERTQSJ9.{claims}.c2ln"))
            .header("x-odd", "<script>alert(1)</script>")
            .body(())
            .unwrap();
        let (status, text) = body(request).await;
        assert_eq!(status, StatusCode::OK);
        assert!(text.contains("ada@example.com"));
        assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !text.contains("<script>alert"));
        assert!(text.contains("purpose"), "claims of the assertion are shown");
        // D19: the assertion itself is a token, and no token stands in a page.
        assert!(!text.contains(claims));
    }

    #[tokio::test]
    async fn strangers_and_other_paths() {
        let (_, text) = body(Request::builder().uri("/").body(()).unwrap()).await;
        assert!(text.contains("nobody"));
        let (status, text) = body(Request::builder().uri("/a&b").body(()).unwrap()).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(text.contains("/a&amp;b"));
    }
}
