//! Breadth-first search through all states of a model: the first broken promise comes with a shortest way to it.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A promise that a step broke, in words.
#[derive(Debug)]
pub(crate) struct Broken(pub(crate) String);

/// States, and the steps between them. Time is one of the steps.
pub(crate) trait Model {
    type State: Clone + Hash;
    type Step: Copy;

    fn start(&self) -> Self::State;
    /// Every step that is possible in `state`, into an empty `steps`.
    fn steps(&self, state: &Self::State, steps: &mut Vec<Self::Step>);
    /// The state after a step, or the promise that it breaks.
    fn take(&self, state: &Self::State, step: Self::Step) -> Result<Self::State, Broken>;
    /// Whether the step is the passing of one tick.
    fn is_tick(&self, step: Self::Step) -> bool;
    /// What happens in a step, for the reader of a counterexample.
    fn tell(&self, state: &Self::State, step: Self::Step) -> String;
    /// What is the case, for the reader of a counterexample.
    fn show(&self, state: &Self::State) -> String;
}

/// How much was seen: all that can be reached within the bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Size {
    pub(crate) states: usize,
    pub(crate) steps: u64,
    /// Steps from the start to the farthest state.
    pub(crate) depth: usize,
}

/// A shortest way to a broken promise, told line by line.
#[derive(Debug)]
pub(crate) struct Counterexample {
    pub(crate) promise: String,
    pub(crate) trace: String,
}

/// Visits every reachable state.
///
/// A state is remembered by 128 bits of hash. Among ten million states the chance that two share one, so that the second would not
/// be visited, is below 2⁻⁸⁰.
pub(crate) fn explore<M: Model>(model: &M) -> Result<Size, Box<Counterexample>> {
    let start = model.start();
    let mut seen: HashSet<u128, BuildHasherDefault<AlreadyHashed>> = HashSet::default();
    seen.insert(fingerprint(&start));
    // How each state was first reached: the number of the state before it, and the step.
    let mut ways: Vec<Option<(usize, M::Step)>> = vec![None];
    let mut size = Size { states: 1, steps: 0, depth: 0 };
    let mut layer = vec![(0, start)];
    let mut possible = Vec::new();
    loop {
        let mut next = Vec::new();
        for (number, state) in &layer {
            possible.clear();
            model.steps(state, &mut possible);
            for step in possible.iter().copied() {
                size.steps += 1;
                match model.take(state, step) {
                    Ok(after) if seen.insert(fingerprint(&after)) => {
                        next.push((ways.len(), after));
                        ways.push(Some((*number, step)));
                    }
                    Ok(_) => {}
                    Err(broken) => return Err(counterexample(model, &ways, *number, step, broken)),
                }
            }
        }
        size.states = ways.len();
        if next.is_empty() {
            return Ok(size);
        }
        size.depth += 1;
        layer = next;
    }
}

fn counterexample<M: Model>(
    model: &M,
    ways: &[Option<(usize, M::Step)>],
    mut number: usize,
    last: M::Step,
    broken: Broken,
) -> Box<Counterexample> {
    let mut steps = vec![last];
    while let Some((before, step)) = ways[number] {
        steps.push(step);
        number = before;
    }
    let mut state = model.start();
    let mut ticks = 0;
    let mut trace = format!("{}\n\ntick {ticks:>3}  {:<60} {}\n", broken.0, "start", model.show(&state));
    for step in steps.into_iter().rev() {
        ticks += usize::from(model.is_tick(step));
        let told = model.tell(&state, step);
        match model.take(&state, step) {
            Ok(after) => state = after,
            Err(_) => {
                writeln!(trace, "tick {ticks:>3}  {told:<60} << the promise is broken here").unwrap();
                break;
            }
        }
        if !model.is_tick(step) {
            writeln!(trace, "tick {ticks:>3}  {told:<60} {}", model.show(&state)).unwrap();
        }
    }
    Box::new(Counterexample { promise: broken.0, trace })
}

fn fingerprint(state: &impl Hash) -> u128 {
    let mut lanes = Lanes { one: 0x243f_6a88_85a3_08d3, two: 0x1319_8a2e_0370_7344 };
    state.hash(&mut lanes);
    lanes.digest()
}

/// Two independent lanes of multiply-and-fold: quick without optimisation too.
struct Lanes {
    one: u64,
    two: u64,
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

impl Lanes {
    fn take(&mut self, word: u64) {
        self.one = fold(self.one ^ word, 0x9e37_79b9_7f4a_7c15).wrapping_add(self.two.rotate_left(23));
        self.two = fold(self.two.wrapping_add(word), 0xd6e8_feb8_6659_fd93) ^ self.one.rotate_left(41);
    }

    fn digest(mut self) -> u128 {
        self.take(0xa409_3822_299f_31d0);
        self.take(0x082e_fa98_ec4e_6c89);
        u128::from(self.one) << 64 | u128::from(self.two)
    }
}

impl Hasher for Lanes {
    fn finish(&self) -> u64 {
        self.one ^ self.two
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.take(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, n: u8) {
        self.take(u64::from(n));
    }

    fn write_u32(&mut self, n: u32) {
        self.take(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        self.take(n);
    }

    fn write_i64(&mut self, n: i64) {
        self.take(n.cast_unsigned());
    }

    fn write_isize(&mut self, n: isize) {
        self.take(n.cast_unsigned() as u64);
    }

    fn write_usize(&mut self, n: usize) {
        self.take(n as u64);
    }
}

/// Fingerprints are uniform already.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only u128 is hashed")
    }

    fn write_u128(&mut self, n: u128) {
        self.0 = n as u64;
    }
}
