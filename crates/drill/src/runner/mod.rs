//! Runs attacks, keeps what is seen, and never lets one attack hold up the report.

use std::time::Duration;

use futures_util::future::join;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::check::{Attack, Check, Order};
use crate::detect;
use crate::report::{Checked, Report};
use crate::scene::{Broken, Scene};
use crate::verdict::Verdict;

/// For one attack.
const LONGEST: Duration = Duration::from_secs(45);
/// For one that waits for an expiry.
const LONGEST_WAIT: Duration = Duration::from_secs(30 * 60);

/// Is told how far the drill is.
pub trait Progress: Send + Sync {
    /// A new part begins: `finding out how people sign in`.
    fn part(&self, what: &str);
    /// A check begins.
    fn started(&self, check: &Check);
    /// A check is done: the `done`th of `all`.
    fn finished(&self, checked: &Checked, done: usize, all: usize);
}

/// Says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn part(&self, _what: &str) {}
    fn started(&self, _check: &Check) {}
    fn finished(&self, _checked: &Checked, _done: usize, _all: usize) {}
}

/// Finds out how the application signs people in, then tries every attack. Whatever goes wrong, a report comes back: with
/// [`Report::problem`] where the run could not go on.
pub async fn drill(scene: &Scene, attacks: &[Box<dyn Attack>], progress: &dyn Progress) -> Report {
    let run = Run {
        scene,
        progress,
        all: attacks.len(),
        started: Instant::now(),
        started_at: scene.present.now().rfc3339(),
        checked: Mutex::default(),
    };
    progress.part("finding out how people sign in");
    let problem = match detect::detect(scene, progress).await {
        Ok(app) => {
            scene.detected(app);
            None
        }
        Err(broken) => Some(broken),
    };
    // Without a login most attacks have nothing to work on; those that need none still say something.
    let reachable = !matches!(problem, Some(Broken::Net(_)));
    if reachable {
        run.all(attacks).await;
    }
    run.report(problem).await
}

struct Run<'r> {
    scene: &'r Scene,
    progress: &'r dyn Progress,
    all: usize,
    started: Instant,
    started_at: String,
    checked: Mutex<Vec<(usize, Checked)>>,
}

impl Run<'_> {
    async fn all(&self, attacks: &[Box<dyn Attack>]) {
        let of = |order: Order| {
            let all = attacks.iter().map(AsRef::as_ref).enumerate();
            all.filter(move |(_, attack)| attack.check().order == order)
        };
        self.progress.part("attacking");
        let beside: FuturesUnordered<_> =
            of(Order::Beside).map(|(place, attack)| self.one(place, attack)).collect();
        let main = async {
            for (place, attack) in of(Order::Main) {
                self.one(place, attack).await;
            }
        };
        join(main, beside.collect::<Vec<()>>()).await;
        self.progress.part("guessing passwords");
        for (place, attack) in of(Order::Last) {
            self.one(place, attack).await;
        }
    }

    async fn one(&self, place: usize, attack: &dyn Attack) {
        let check = attack.check();
        self.progress.started(check);
        let began = Instant::now();
        let verdict = self.verdict(check, attack).await;
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let checked = Checked::new(check, took_ms, verdict, &self.scene.vault);
        let mut all = self.checked.lock().await;
        self.progress.finished(&checked, all.len() + 1, self.all);
        all.push((place, checked));
    }

    async fn verdict(&self, check: &Check, attack: &dyn Attack) -> Verdict {
        let options = self.scene.options;
        if check.needs_active && !options.active {
            return Verdict::not_applicable(
                "it would change the test accounts' data: allow it with --active",
            );
        }
        if check.waits && !options.wait {
            return Verdict::not_applicable("it waits for something to expire: allow it with --wait");
        }
        let longest = if check.waits { LONGEST_WAIT } else { LONGEST };
        match timeout(longest, attack.run(self.scene)).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(broken @ Broken::Throttled(_))) => Verdict::inconclusive(broken.to_string()),
            Ok(Err(Broken::Unknown(why))) => Verdict::not_applicable(why),
            Ok(Err(broken)) => Verdict::Error { reason: broken.to_string() },
            Err(_elapsed) => Verdict::Error { reason: format!("gave up after {} s", longest.as_secs()) },
        }
    }

    async fn report(&self, problem: Option<Broken>) -> Report {
        let mut checked = std::mem::take(&mut *self.checked.lock().await);
        checked.sort_by_key(|(place, _)| *place);
        let (credentials, thefts) = self.scene.told();
        let scrub = |text: &str| self.scene.vault.scrub(text);
        Report {
            format: 1,
            tool: concat!("countersign ", env!("CARGO_PKG_VERSION")).to_owned(),
            target: self.scene.target.to_string(),
            started_at: self.started_at.clone(),
            took_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            requests: self.scene.net().sent(),
            active: self.scene.options.active,
            waited: self.scene.options.wait,
            problem: problem.map(|problem| scrub(&problem.to_string())),
            application: self.scene.app().ok().map(|app| app.described()),
            checks: checked.into_iter().map(|(_, checked)| checked).collect(),
            credentials: credentials
                .into_iter()
                .map(|obtained| obtained.scrubbed(&self.scene.vault))
                .collect(),
            thefts: thefts.into_iter().map(|theft| theft.scrubbed(&self.scene.vault)).collect(),
        }
    }
}
