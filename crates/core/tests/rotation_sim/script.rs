//! What proptest draws: who does what when, and the fate of every message.

use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};

/// G in milliseconds.
pub(crate) const G: u64 = 10_000;
/// Access-token lifetime in milliseconds.
pub(crate) const ACCESS: u64 = 15 * 60 * 1000;
/// Nodes behind the load balancer.
pub(crate) const NODES: usize = 2;

/// How a request comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A proxied request: the access token if it is good, else rotated inline.
    Page,
    /// `POST /auth/refresh`: eager, whether or not the access token is good.
    Refresh,
}

/// A delay as a share (‰) of the longest that a message may live.
pub(crate) type Share = u16;

/// What happens to one request and its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fate {
    pub(crate) node: usize,
    pub(crate) request: Share,
    pub(crate) request_lost: bool,
    /// A second copy of the request arrives after this share of a message's life.
    pub(crate) twin: Option<Share>,
    /// Milliseconds between reading the record and the compare-and-set.
    pub(crate) commit_ms: u64,
    /// From the verdict until the cookies are in the jar.
    pub(crate) answer: Share,
    pub(crate) answer_lost: bool,
}

/// A fate without incidents.
pub(crate) const SMOOTH: Fate = Fate {
    node: 0,
    request: 0,
    request_lost: false,
    twin: None,
    commit_ms: 0,
    answer: 0,
    answer_lost: false,
};

/// A step of a script.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    Send(Kind, Fate),
    Restart(usize),
    /// Somebody ends the session.
    Revoke,
}

/// A step, and how long after the previous one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Step {
    pub(crate) after_ms: u64,
    pub(crate) act: Act,
}

fn share() -> impl Strategy<Value = Share> {
    prop_oneof![4 => 0..=10_u16, 2 => 0..=1000_u16, 4 => 950..=1000_u16, 2 => Just(1000_u16)]
}

pub(crate) fn fate() -> impl Strategy<Value = Fate> {
    let lost = || prop_oneof![3 => Just(false), 1 => Just(true)];
    let twin = prop_oneof![5 => Just(None), 1 => share().prop_map(Some)];
    let request_lost = prop_oneof![9 => Just(false), 1 => Just(true)];
    (0..NODES, share(), request_lost, twin, 0..50_u64, share(), lost()).prop_map(
        |(node, request, request_lost, twin, commit_ms, answer, answer_lost)| Fate {
            node,
            request,
            request_lost,
            twin,
            commit_ms,
            answer,
            answer_lost,
        },
    )
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Page), Just(Kind::Refresh)]
}

/// Pauses cluster where the table has its boundaries.
pub(crate) fn pause() -> BoxedStrategy<u64> {
    prop_oneof![
        4 => 0..50_u64,
        4 => 0..2 * G,
        4 => (0..7_u64, 0..=400_u64).prop_map(|(graces, off)| (graces * G + off).saturating_sub(200)),
        1 => ACCESS - G..ACCESS + 2 * G,
        1 => 0..8 * ACCESS,
    ]
    .boxed()
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![12 => (kind(), fate()).prop_map(|(k, f)| Act::Send(k, f)), 1 => (0..NODES).prop_map(Act::Restart)]
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    (pause(), act()).prop_map(|(after_ms, act)| Step { after_ms, act })
}

/// A step where every delay is next to nothing or as long as it gets, and pauses are about whole graces: the scripts in which
/// windows that are one grace too short fail first.
pub(crate) fn extreme_step() -> impl Strategy<Value = Step> {
    let share = || prop_oneof![Just(0_u16), Just(1000_u16)];
    let lost = || prop_oneof![3 => Just(false), 1 => Just(true)];
    let after_ms = prop_oneof![3 => 0..4_u64, 2 => G - 4..G + 4, 1 => 2 * G..3 * G];
    let fate = (0..NODES, share(), share(), lost()).prop_map(|(node, request, answer, answer_lost)| Fate {
        node,
        request,
        answer,
        answer_lost,
        ..SMOOTH
    });
    (after_ms, fate).prop_map(|(after_ms, fate)| Step { after_ms, act: Act::Send(Kind::Refresh, fate) })
}

/// How far the second node's clock is ahead: mostly not, at most the design's readiness limit of min(3 s, G/4).
pub(crate) fn skew() -> impl Strategy<Value = u64> {
    prop_oneof![2 => Just(0_u64), 1 => 0..=G / 4]
}

/// Whether confirmations reach the other node and the store, and how late (ms, within a second).
pub(crate) fn behind() -> impl Strategy<Value = Behind> {
    (0..=1000_u64, any::<bool>()).prop_map(|(flush_ms, bus)| Behind { flush_ms, bus })
}

/// The write-behind of confirmations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Behind {
    pub(crate) flush_ms: u64,
    pub(crate) bus: bool,
}
