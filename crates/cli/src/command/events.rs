//! `events`: what happened, and what happens.

use super::node::{self, Node, unexpected};
use super::operator::present;
use super::{Verdict, settings};
use crate::admin::protocol::{Event, EventQuery};
use crate::admin::{Reply, Request};
use crate::args::{Events, Global};
use crate::config::parse_span;
use crate::output::{Screen, event_lines};
use anyhow::{Context, bail};
use countersign_adapters::SystemClock;
use countersign_core::domain::time::Timestamp;
use countersign_core::port::Clock;
use std::time::Duration;

/// Between two looks when following.
const PAUSE: Duration = Duration::from_millis(500);
/// Rows fetched in one look when following.
const BATCH: u32 = 1000;

pub(super) fn events(global: &Global, events: &Events, screen: Screen) -> anyhow::Result<Verdict> {
    let checked = settings::existing(global)?;
    let since = events.since.as_deref().map(|text| instant(text, SystemClock.now())).transpose()?;
    let query = EventQuery {
        user: events.user.clone(),
        session: events.session.clone(),
        request: events.request.clone(),
        since: since.map(Timestamp::as_millis),
        after: None,
        limit: events.limit,
    };
    node::runtime()?.block_on(async {
        let mut node = Node::reach(checked.inspect()).await?;
        let first = read(&mut node, query.clone()).await?;
        show(&first, screen)?;
        if !events.follow {
            if first.is_empty() && !screen.json {
                screen.line("There are no such events.")?;
            }
            return Ok(Verdict::Fine);
        }
        if matches!(node, Node::Own(_)) {
            bail!("no server runs on this store, so there is nothing to follow: start one, or leave --follow out");
        }
        let mut after = first.last().map_or(0, |event| event.row);
        if first.is_empty() {
            // Nothing matched yet: only what comes from now on counts.
            after = read(&mut node, EventQuery { limit: 1, ..EventQuery::default() }).await?.last().map_or(0, |e| e.row);
        }
        loop {
            let query = EventQuery { after: Some(after), limit: BATCH, ..query.clone() };
            let new = read(&mut node, query).await?;
            after = new.last().map_or(after, |event| event.row);
            show(&new, screen)?;
            tokio::time::sleep(PAUSE).await;
        }
    })
}

async fn read(node: &mut Node, query: EventQuery) -> anyhow::Result<Vec<Event>> {
    match node.ask(Request::Events(query)).await? {
        Reply::Events { events } => Ok(events),
        other => unexpected(&other),
    }
}

fn show(events: &[Event], screen: Screen) -> std::io::Result<()> {
    if screen.json {
        return events.iter().try_for_each(|event| screen.document(event));
    }
    if events.is_empty() {
        return Ok(());
    }
    screen.line(&event_lines(events, present(), screen.paint))
}

/// An age or a time.
fn instant(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    parse_span(text).map(|age| now.minus(age)).or_else(|| Timestamp::parse_rfc3339(text)).with_context(|| {
        format!(
            "--since {text:?} is neither an age such as \"2h\" nor a time such as \"2026-02-01T12:00:00Z\""
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_an_age_or_a_time() {
        let now = Timestamp::parse_rfc3339("2026-02-10T12:00:00Z").unwrap();
        assert_eq!(instant("90m", now).unwrap().rfc3339(), "2026-02-10T10:30:00Z");
        assert_eq!(instant("2026-02-01T00:00:00Z", now).unwrap().rfc3339(), "2026-02-01T00:00:00Z");
        assert!(instant("yesterday", now).is_err());
    }
}
