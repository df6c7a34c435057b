//! The load generator: keep-alive connections that send prepared bytes and read whole answers. It does as little as
//! possible, because it shares a core with the upstream.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Failure;
use crate::order::Order;

/// Requests as they go over the wire.
pub(crate) type Requests = Arc<Vec<Box<[u8]>>>;

/// What a run did.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Answers, all of them 200.
    pub(crate) answers: usize,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// Of each answer, in order of size.
    latencies: Vec<Duration>,
}

impl Outcome {
    /// A latency that so many thousandths of the answers stayed below.
    pub(crate) fn latency(&self, thousandths: usize) -> Duration {
        let at = self.latencies.len().saturating_mul(thousandths) / 1000;
        self.latencies.get(at).or(self.latencies.last()).copied().unwrap_or_default()
    }
}

/// Sends what `order` says over so many connections, one request at a time on each.
///
/// # Errors
/// At the first answer that is not 200, with what it says: a figure with errors in it would mean nothing.
pub(crate) async fn run(
    address: SocketAddr,
    connections: usize,
    requests: &Requests,
    order: Order,
) -> Result<Outcome, Failure> {
    let order = Arc::new(order);
    let mut tasks = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..connections {
        tasks.spawn(connection(address, Arc::clone(requests), Arc::clone(&order)));
    }
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.append(&mut done??);
    }
    let elapsed = begun.elapsed();
    latencies.sort_unstable();
    Ok(Outcome { answers: latencies.len(), elapsed, latencies })
}

async fn connection(
    address: SocketAddr,
    requests: Requests,
    order: Arc<Order>,
) -> Result<Vec<Duration>, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(32 * 1024);
    let mut latencies = Vec::new();
    while let Some(index) = order.next() {
        let request = requests.get(index).ok_or("an index beyond the requests")?;
        let begun = Instant::now();
        stream.write_all(request).await?;
        let body = answer(&mut stream, &mut buffer).await?;
        latencies.push(begun.elapsed());
        buffer.drain(..body.end);
    }
    Ok(latencies)
}

/// One request on a connection of its own; the body of the answer.
///
/// # Errors
/// When the answer is not 200.
pub(crate) async fn ask(address: SocketAddr, request: &[u8]) -> Result<String, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut buffer = Vec::new();
    let body = answer(&mut stream, &mut buffer).await?;
    Ok(String::from_utf8_lossy(buffer.get(body).unwrap_or_default()).into_owned())
}

/// Reads until a whole answer is in the buffer; where its body lies.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<std::ops::Range<usize>, Failure> {
    loop {
        if let Some((head, length)) = parse(buffer)? {
            while buffer.len() < head + length {
                more(stream, buffer).await?;
            }
            return Ok(head..head + length);
        }
        more(stream, buffer).await?;
    }
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<(), Failure> {
    if stream.read_buf(buffer).await? > 0 {
        return Ok(());
    }
    Err(format!("the connection was closed in an answer: {}", String::from_utf8_lossy(buffer)).into())
}

/// Lengths of head and body, once the head is complete.
fn parse(buffer: &[u8]) -> Result<Option<(usize, usize)>, Failure> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(buffer)? else { return Ok(None) };
    if response.code != Some(200) {
        return Err(format!("not 200: {}", String::from_utf8_lossy(buffer)).into());
    }
    let length = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .ok_or("an answer without Content-Length")?;
    Ok(Some((head, std::str::from_utf8(length.value)?.parse()?)))
}
