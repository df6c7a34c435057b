//! Security events.

use countersign_core::domain::event::{Event, EventFilter};
use countersign_core::domain::id::{PublicId, RequestId};
use countersign_core::port::Store;

use crate::support::{at, event, user};

async fn ten<S: Store>(store: &S) {
    store.append_events(&(0..4).map(event).collect::<Vec<_>>()).await.unwrap();
    store.append_events(&[]).await.unwrap();
    store.append_events(&(4..10).map(event).collect::<Vec<_>>()).await.unwrap();
}

async fn numbers<S: Store>(store: &S, filter: EventFilter) -> Vec<i64> {
    store.events(&filter).await.unwrap().into_iter().map(|(_, event)| event.at.as_secs()).collect()
}

/// I05: every field.
pub(crate) async fn i05_events_come_back_in_order<S: Store>(store: &S) {
    ten(store).await;
    let found = store.events(&EventFilter::default()).await.unwrap();
    assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0));
    let events: Vec<Event> = found.into_iter().map(|(_, event)| event).collect();
    assert_eq!(events, (0..10).map(event).collect::<Vec<_>>());
}

pub(crate) async fn filters_combine<S: Store>(store: &S) {
    ten(store).await;
    let of_user = |n| EventFilter { user: Some(user(n).id), ..Default::default() };
    let session = || PublicId::parse("s2");
    let request = || RequestId::parse("r1");
    assert_eq!(numbers(store, of_user(1)).await, [1, 3, 5, 7, 9]);
    assert_eq!(
        numbers(store, EventFilter { session: session(), ..Default::default() }).await,
        [0, 2, 4, 6, 8]
    );
    assert_eq!(numbers(store, EventFilter { request: request(), ..Default::default() }).await, [4, 5, 6, 7]);
    assert_eq!(numbers(store, EventFilter { since: Some(at(8)), ..Default::default() }).await, [8, 9]);
    let all = EventFilter { request: request(), since: Some(at(5)), session: session(), ..of_user(2) };
    assert_eq!(numbers(store, all).await, [6]);
    assert_eq!(numbers(store, EventFilter { session: session(), ..of_user(1) }).await, [] as [i64; 0]);
}

pub(crate) async fn the_newest_unless_following<S: Store>(store: &S) {
    ten(store).await;
    assert_eq!(numbers(store, EventFilter { limit: 3, ..Default::default() }).await, [7, 8, 9]);
    let rows: Vec<u64> =
        store.events(&EventFilter::default()).await.unwrap().iter().map(|(row, _)| *row).collect();
    let following = EventFilter { after: Some(rows[3]), limit: 3, ..Default::default() };
    assert_eq!(numbers(store, following.clone()).await, [4, 5, 6]);
    let user = Some(user(1).id);
    assert_eq!(numbers(store, EventFilter { user, limit: 2, ..following }).await, [5, 7]);
    assert!(
        store
            .events(&EventFilter { after: rows.last().copied(), ..Default::default() })
            .await
            .unwrap()
            .is_empty()
    );
    let many: Vec<Event> = (10..150).map(event).collect();
    store.append_events(&many).await.unwrap();
    assert_eq!(numbers(store, EventFilter::default()).await, (50..150).collect::<Vec<_>>());
}
